"""Sound on the wire without sockets: G.711, RTP packets, RTCP, reception counters, telephone keys (RFC 3550, 4733)."""
