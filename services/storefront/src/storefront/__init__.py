"""storefront."""
