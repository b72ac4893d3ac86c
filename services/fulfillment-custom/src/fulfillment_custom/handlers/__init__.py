"""The use cases of own stock."""
