"""Doors in: topics and HTTP."""
