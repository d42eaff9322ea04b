"""Bytes to values and back. No sockets, no clocks; nothing here knows the rest of bocau."""
