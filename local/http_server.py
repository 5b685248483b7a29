"""What the HTTP servers of `make run` have in common."""

from werkzeug.serving import WSGIRequestHandler


class RequestHandler(WSGIRequestHandler):
    """Handles one request."""

    timeout = 30
    # Headers and body are two writes. Nagle's algorithm with delayed ACKs would put 40 ms between them.
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Respond to the request."""
        try:
            super().run_wsgi()
        except ValueError:
            # The target is not a URL, such as "//[".
            self.send_error(400)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing: the terminal already shows each request of the API."""
