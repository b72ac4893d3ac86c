"""The HTTP side that all services share.

One application factory: errors as problem details, body limits, paging, bearer tokens and
the keys that check them, the access log, request metrics, health.
"""
