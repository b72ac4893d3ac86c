"""Doors out: PostgreSQL and the messages orders publishes."""
