"""Pure rules of own stock: no input or output, no clock."""
