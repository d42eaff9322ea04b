"""Voice carriers: calls in child processes, and what they come to in the store."""
