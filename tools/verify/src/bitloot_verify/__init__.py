"""The invariants of the whole system, checked from outside (design, section 9).

`reading.py` reads what the services, R2 and, in tests, the simulators' ledgers hold;
`invariants/` judges it without touching anything; `check.py` counts what two readings
show. Nothing is decrypted and nothing is written.
"""
