"""The servers of the embedded stack, one module each: started, awaited, stopped."""
