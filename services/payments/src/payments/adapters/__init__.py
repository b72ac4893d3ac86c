"""Doors out: PostgreSQL, NOWPayments and the messages of payments."""
