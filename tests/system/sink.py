"""The customer's side of callbacks, a process of its own: writes every call down, then answers as the path says.

`/ok` answers 200, `/fail/N` answers 500 to the first N calls for one RequestId, then 200. Run as
`python sink.py --journal FILE [--port P]`; the first line out is `listening on HOST:PORT`.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl

_FAIL = re.compile(r"/fail/([0-9]+)")
_ANSWERS = {
    200: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    500: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
}


class Sink:
    """Counts calls by RequestId. Each call is in the journal before its answer leaves."""

    def __init__(self, journal: Path) -> None:
        self._file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._calls: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                writer.write(_ANSWERS[self._take(head)])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _take(self, head: str) -> int:
        """Write a call down; the status it gets."""
        line, *fields = head.rstrip("\r\n").split("\r\n")
        path, _, query = line.split(" ")[1].partition("?")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        values = dict(parse_qsl(query, keep_blank_values=True))
        key = values.get("RequestId", "")
        self._calls[key] += 1
        failing = _FAIL.fullmatch(path)
        answer = 500 if failing and self._calls[key] <= int(failing[1]) else 200
        record = {
            "at_ms": time.time_ns() // 1_000_000,
            "path": path,
            "query": values,
            "event_id": headers.get("webhook-id", ""),
            "answer": answer,
        }
        os.write(self._file, json.dumps(record).encode() + b"\n")
        return answer


async def main() -> None:
    """Until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = await asyncio.start_server(Sink(options.journal).serve, "127.0.0.1", options.port)
    sys.stdout.write(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
