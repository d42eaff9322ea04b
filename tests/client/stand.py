"""A server that says what a test wants, byte for byte, and keeps what it was asked."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

HANG_UP = b""
"""Close the connection instead of an answer."""


def answer(body: str, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer with a length."""
    raw = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(raw)}\r\n{headers}\r\n".encode() + raw


@dataclass
class Stand:
    """Where it listens and what came."""

    url: str
    requests: list[str] = field(default_factory=list)
    connections: int = 0


def _read(connection: socket.socket) -> str:
    """One request; empty when the other end has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return ""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    size = next((int(li.split(b":")[1]) for li in head.split(b"\r\n") if li.lower().startswith(b"content-length")), 0)
    while len(body) < size:
        body += connection.recv(65_536)
    return f"{head.decode()}\r\n\r\n{body.decode()}"


@contextmanager
def standing(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Stand]:
    """A server for the length of a block; its answers in order, over any number of connections."""
    listening = socket.create_server(("127.0.0.1", 0))
    stand = Stand(f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}")
    thread = threading.Thread(target=_serve, args=(listening, list(answers), stand, tls))
    thread.start()
    try:
        yield stand
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def _serve(listening: socket.socket, answers: Sequence[bytes], stand: Stand, tls: ssl.SSLContext | None) -> None:
    left = list(answers)
    while left:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        if tls is not None:
            try:
                connection = tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                continue
        stand.connections += 1
        with connection:
            while left:
                request = _read(connection)
                if not request:
                    break
                stand.requests.append(request)
                said = left.pop(0)
                if said == HANG_UP:
                    break
                connection.sendall(said)
