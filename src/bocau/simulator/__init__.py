"""The other end: a carrier that speaks real SMPP over real sockets, with rules for faults."""
