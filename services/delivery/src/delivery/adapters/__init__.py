"""Doors out: PostgreSQL, R2, SMTP, encryption, and the messages of delivery."""
