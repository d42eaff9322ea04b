"""Room 2: time passes: due messages are released, old ones expire, lost ones are rescued."""
