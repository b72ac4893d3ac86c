"""The use cases of delivery."""
