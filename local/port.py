"""The port of `make run`. `python -m local.port` checks that it is free, before anything is installed."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.settings import LOOPBACK, StartError, read_settings


@contextmanager
def bound_socket(port: int) -> Iterator[socket.socket]:
    """Bind a socket to a port of loopback. Raises StartError."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise StartError(f"Port {port} cannot be used: {error.strerror}; set PORT to another.") from error
        yield listener


def main() -> int:
    """Print why the port cannot be used; the exit code."""
    try:
        with bound_socket(read_settings(os.environ).port):
            return 0
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
