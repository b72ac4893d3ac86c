"""How a service keeps its rows in PostgreSQL.

One transaction with what is counted when it commits, the tables that every service with
messages has, migrations and the check that the schema fits, pruning, and figures read from rows.
"""
