"""Doors out: PostgreSQL and the messages of own stock."""
