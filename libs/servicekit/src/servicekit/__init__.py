"""The thin runtime every service with messages stands on.

A thing lives here when three services need it and it holds no business word: inbox,
outbox, dead letters, jobs, the transaction, migrations, and how a process starts and ends.
"""
