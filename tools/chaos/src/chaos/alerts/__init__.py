"""Alerts on a running stack: each is made to fire by its fault, and told to somebody once.

Prometheus and Alertmanager are the real programs with our own files, whose waiting times alone
are shortened (`shorten.py`). `catalogue.py` says which fault is meant for which alert.
"""
