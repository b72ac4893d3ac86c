"""Pure rules of orders: no input or output, no clock."""
