"""Pure rules of delivery: no input or output, no clock."""
