"""Sound on the wire without sockets: G.711 and what carries it."""
