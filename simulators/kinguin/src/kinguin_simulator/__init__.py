"""A stand-in for Kinguin with its own ledger, for development and tests only.

It speaks the buyer API below `/esa/api` and the older sales-manager form below
`/v1/orders`, both over one ledger, and has a control side below `/_simulator`.
"""
