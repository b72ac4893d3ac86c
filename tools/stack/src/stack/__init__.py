"""The embedded stack: PostgreSQL, Apache Kafka, S3 and mail without root and without containers.

For development and tests. `parts` starts the servers, `supervisor` keeps the services alive,
`demo` sells two keys, `fixtures` gives the same parts to pytest.
"""
