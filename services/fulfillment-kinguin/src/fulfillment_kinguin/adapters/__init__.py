"""Doors out: tables, messages and Kinguin's API."""
