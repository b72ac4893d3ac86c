"""The message rules: how a service takes, keeps and sends messages, and how it starts and ends.

A thing lives here when three services need it and it holds no business word: consumer,
inbox, outbox, dead letters, jobs, the broker, and the process around them.
"""
