"""The use cases of orders: one file for each thing it does."""
