"""Doors in: messages, HTTP and jobs."""
