"""`make sam-local`: the stack on `sam local start-api`, in Docker, until Ctrl-C."""

import sys

from local.__main__ import main, only_run_on
from local.port import bound_socket
from local.settings import Settings
from local.signals import stop_signals_held_back


def run(settings: Settings) -> None:
    """Serve until KeyboardInterrupt. Raises StartError."""
    with only_run_on(settings.data_dir):
        with bound_socket(settings.port) as listener:
            # This only checks that the port is free. SAM CLI binds it again.
            port = listener.getsockname()[1]
        # As in `make run`: an interrupt within an import would be lost.
        with stop_signals_held_back():
            from local.docker_stack import serve  # noqa: PLC0415  Imported after the checks: it takes two seconds.
        serve(settings, port)


if __name__ == "__main__":
    sys.exit(main(run))
