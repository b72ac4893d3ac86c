"""`bitloot preflight`: would this deployment work, asked before it has to.

Every check asks the real part through the adapter that the service itself uses, writes nothing
that it does not take away again, and gives one line: ok, or FAILED with the remedy.
"""
