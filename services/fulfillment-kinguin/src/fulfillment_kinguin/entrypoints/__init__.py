"""Doors in: topics, HTTP and jobs."""
