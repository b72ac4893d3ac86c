"""The thin runtime every service stands on.

A thing lives here when three services need it and it holds no business word: the
rules of message handling (inbox, outbox, dead letters, jobs), the transaction, HTTP
errors, tokens, sealing, logs, metrics, traces and health.
"""
