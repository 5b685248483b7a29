"""Runs the functions that the template puts on a schedule."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from local.console import print_error
from local.environments import InvocationError


class Runner(Protocol):
    """What invokes a function by its name with a JSON text. Raises InvocationError."""

    def call(self, function_name: str, event: str) -> str: ...


@contextmanager
def scheduled(schedules: Mapping[str, float], runner: Runner) -> Iterator[None]:
    """Invoke each function again and again, so many seconds apart, until the end."""
    stopping = threading.Event()
    for function, seconds in schedules.items():
        # Not waited for at the end: an audit may take minutes, and the runner ends what still runs.
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
            # As when deployed, the next run is the next chance.
            if not stopping.is_set():
                print_error(f"{function}: {error}")
