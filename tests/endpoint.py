"""A server for tests of what asks one: it gives the answers that it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

CannedResponse = tuple[int, bytes]
"""Status and body."""


@contextmanager
def serving(*responses: CannedResponse | None) -> Iterator[tuple[str, list[Message]]]:
    """A server that gives these answers in turn, None for hanging up; its address, and each request's headers."""
    asked: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers)
            self.rfile.read(int(self.headers["content-length"] or 0))
            response = responses[len(asked) - 1]
            if response is not None:
                self.send_response(response[0])
                self.end_headers()
                self.wfile.write(response[1])

        do_POST = do_GET  # noqa: N815  http.server asks for the name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
