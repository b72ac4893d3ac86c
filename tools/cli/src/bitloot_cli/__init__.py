"""The command `bitloot`: secrets for a deployment, tokens for admins, products from CSV."""
