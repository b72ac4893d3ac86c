"""The whole stack from outside: a package, so that the stack ends with the last of its tests."""
