"""SIP without sockets: messages, transactions, one outgoing call, registration, digest, SDP (RFC 3261 and its kin)."""
