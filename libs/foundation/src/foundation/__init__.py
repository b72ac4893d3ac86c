"""What every process stands on, with or without HTTP, Kafka and a database.

Settings and secrets, the clock and ids, logs and traces, crash points, and the sealing
of game keys on their way to delivery.
"""
