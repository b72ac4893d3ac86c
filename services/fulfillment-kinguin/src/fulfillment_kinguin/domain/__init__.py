"""What buying a key means: states, schedules and decisions, without any I/O."""
