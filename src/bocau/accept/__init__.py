"""Room 1: a request becomes a durable message, or a refusal."""
