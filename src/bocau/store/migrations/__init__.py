"""Schema steps, numbered, forward only, each applied once and kept by checksum."""
