"""fulfillment_kinguin."""
