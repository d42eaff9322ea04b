"""A host of callbacks, for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Answerer(BaseHTTPRequestHandler):
    """Answers 502 until it is told to be well; keeps what came."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Host)
        server.came.append(self.path.partition("?")[2])
        self.send_response(204 if server.well else 502)
        self.end_headers()
        server.called.release()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Host(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answerer)
        self.well = False
        self.came: list[str] = []
        self.called = threading.Semaphore(0)


@contextmanager
def a_host() -> Iterator[Host]:
    """A host of callbacks."""
    with Host() as found:
        serving = threading.Thread(target=found.serve_forever)
        serving.start()
        try:
            yield found
        finally:
            found.shutdown()
            serving.join()
