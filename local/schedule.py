"""Run the functions that have a schedule in the template."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from local.environments import InvocationError
from local.terminal import print_error


class Runner(Protocol):
    """Invokes a function by its name, with a JSON text. Raises InvocationError."""

    def call(self, function_name: str, event: str) -> str: ...


@contextmanager
def scheduled(schedules: Mapping[str, float], runner: Runner) -> Iterator[None]:
    """Invoke each function repeatedly, with this many seconds in between."""
    stopping = threading.Event()
    for function, seconds in schedules.items():
        # The end does not wait for these threads: an audit may take minutes, and the runner ends it.
        threading.Thread(target=_repeat, args=(function, seconds, runner, stopping), daemon=True).start()
    try:
        yield
    finally:
        stopping.set()


def _repeat(function: str, seconds: float, runner: Runner, stopping: threading.Event) -> None:
    while not stopping.wait(seconds):
        try:
            runner.call(function, "{}")
        except InvocationError as error:
            # As on AWS, the next run tries again.
            if not stopping.is_set():
                print_error(f"{function}: {error}")
