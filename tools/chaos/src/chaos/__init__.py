"""The battery: faults made on a running stack of real parts, and what must hold after each.

Every run orders, pays and reveals through the public interfaces, prints its seed, and is
judged by the invariant checker with the simulators' own ledgers.
"""
