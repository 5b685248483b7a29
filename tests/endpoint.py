"""A local HTTP server that sends the given responses."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

CannedResponse = tuple[int, bytes]
"""Status and body."""


@contextmanager
def serving(*responses: CannedResponse | None) -> Iterator[tuple[str, list[Message]]]:
    """Serve these responses in order. None closes the connection. Yields the address and the requests' headers."""
    requests: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.headers)
            self.rfile.read(int(self.headers["content-length"] or 0))
            response = responses[len(requests) - 1]
            if response is not None:
                self.send_response(response[0])
                self.end_headers()
                self.wfile.write(response[1])

        do_POST = do_GET  # noqa: N815  the name that http.server requires

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()
