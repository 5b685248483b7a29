"""`make run`: the whole stack on this computer, until Ctrl-C."""

import fcntl
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from threading import Thread
from typing import IO

from local.environments import missing_programs
from local.port import bound_socket
from local.settings import Settings, StartError, read_settings
from local.signals import interrupt_on_stop_signals, stop_signals_held_back


def main(run: Callable[[Settings], None]) -> int:
    """Run a stack, and return the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A character that the terminal's encoding lacks must not lose a line. Standard error already does this.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Shells start background processes with SIGINT ignored. Handlers work there too.
    interrupt_on_stop_signals()
    # SAM CLI reads it when it is imported.
    os.environ["SAM_CLI_TELEMETRY"] = "0"
    _forget_aws_profile()
    try:
        run(read_settings(os.environ))
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    print("Stopped.")
    return 0


def run(settings: Settings) -> None:
    """Serve until KeyboardInterrupt. Raises StartError."""
    if missing := missing_programs():
        lacking = " and ".join(missing)
        raise StartError(f"This machine lacks {lacking}. `make sam-local` runs the stack in Docker.")
    with ExitStack() as resources:
        resources.enter_context(only_run_on(settings.data_dir))
        listener = resources.enter_context(bound_socket(settings.port))
        # Signals wait during imports: some modules catch every error of their own imports, also an interrupt.
        with stop_signals_held_back():
            # Before the thread: it replaces modules that the thread imports (storefront.cold_start).
            from local.database import database  # noqa: PLC0415  Imported after the checks: it needs Linux.

            # SAM CLI and Moto take a second to import, PostgreSQL a second to start: both at once.
            Thread(target=_import_stack, daemon=True).start()
        database_url = resources.enter_context(database(settings))
        with stop_signals_held_back():
            from local.stack import serve  # noqa: PLC0415  Waits for the import above.
        serve(settings, database_url, listener)


def _import_stack() -> None:
    # The import in run() fails too, and reports the error.
    with suppress(Exception):
        importlib.import_module("local.stack")


def _forget_aws_profile() -> None:
    # Moto and SAM CLI fail if AWS_PROFILE names an unknown profile.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


@contextmanager
def only_run_on(data_dir: Path) -> Iterator[None]:
    """Lock the data folder against other runs. Raises StartError."""
    with _open_lock(data_dir) as lock:
        try:
            # The kernel releases it when the process ends, also after a crash.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"The stack already runs on {data_dir}.") from None
        yield


def _open_lock(data_dir: Path) -> IO[str]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return (data_dir / "lock").open("w")
    except OSError as error:
        raise StartError(f"The data folder {data_dir} cannot be used: {error.strerror}.") from error


if __name__ == "__main__":
    sys.exit(main(run))
