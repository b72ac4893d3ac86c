"""The rules of payments: pure, no clock, no I/O."""
