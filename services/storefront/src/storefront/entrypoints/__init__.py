"""Doors in: pages."""
