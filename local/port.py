"""The port of `make run`. `python -m local.port` checks that it is free, before anything is installed."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.settings import DEFAULT_PORT, LOOPBACK, MAX_PORT, StartError, read_settings

_FIRST_UNPRIVILEGED_PORT = 1024


@contextmanager
def bound_socket(port: int) -> Iterator[socket.socket]:
    """Bind a socket to a port of loopback. Raises StartError."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise port_error(port, error) from error
        yield listener


def port_error(port: int, error: OSError) -> StartError:
    """Return the sentence about a port that cannot be used."""
    other = port + 1 if _FIRST_UNPRIVILEGED_PORT <= port < MAX_PORT else DEFAULT_PORT
    if error.errno == errno.EADDRINUSE:
        return StartError(f"Port {port} is already in use. Choose another, such as PORT={other}.")
    return StartError(f"Port {port} cannot be used: {error.strerror}. Choose another, such as PORT={other}.")


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
