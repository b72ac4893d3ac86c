"""A stand-in for NOWPayments with its own ledger, for development and tests only.

It speaks the merchant API below `/v1` down to field types and error shapes,
sends signed IPNs, and has a control side below `/_simulator` and a pay page.
"""
