"""The use cases of buying from Kinguin."""
