"""An HTTP client that keeps its connection, the same for every shop."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any, Self

TIMEOUT = 120.0
"""Seconds. 64 checkouts at the same time can take more than a minute."""


class RefusedError(Exception):
    """The shop did not accept a request. The message is its reason."""


class Client:
    """One buyer's connection. headers: sent with every request, for example a session's token."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self.headers: dict[str, str] = {}
        self.requests = 0
        self.received = 0
        """Bytes of the last response body."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        """Let the next request open a new connection. Node.js closes a connection that is idle for five seconds."""
        self._connection.close()

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[Any, Any]:
        """Return the response's JSON value and headers. Raises RefusedError. body: text, or a value for JSON."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        declared = {} if text is None else {"Content-Type": "application/json"}
        self.requests += 1
        try:
            self._connection.request(method, path, text, {**declared, **self.headers, **(headers or {})})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise RefusedError(f"no response: {type(error).__name__}") from error
        self.received = len(content)
        if response.status >= 400:
            raise RefusedError(f"{response.status} {content.decode(errors='replace')[:300]}")
        return json.loads(content), response.headers
