"""fulfillment_custom."""
