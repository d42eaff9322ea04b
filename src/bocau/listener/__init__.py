"""The HTTP/1.1 listener of the hot door (RFC 9110, RFC 9112).

It exists because the door needs limits that a client cannot talk its way around (promises F33, S5): a deadline for the
headers and one for the body that a trickle does not extend, caps on header bytes, body bytes and connections, and no
decompression. One request costs no task, no future and no timer: a handler is called, and the answer is written.
"""

from bocau.listener.connection import HTML, JSON, TEXT, XML, Handler, Limits, Request
from bocau.listener.listening import Listener

__all__ = ["HTML", "JSON", "TEXT", "XML", "Handler", "Limits", "Listener", "Request"]
