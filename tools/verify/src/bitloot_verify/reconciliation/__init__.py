"""Three-way reconciliation: the gateway's payments, our books, the supplier's orders.

`compare.py` is pure; `books.py` reads our side; `outside.py` asks the gateway and the supplier
through the services' own adapters; `differences.py` keeps what was found as rows to work on.
"""
