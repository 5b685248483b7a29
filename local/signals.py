"""Handle Ctrl-C and SIGTERM: once, and not during operations that must complete."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_interrupted = False


def interrupt_on_stop_signals() -> None:
    """Turn the first SIGINT or SIGTERM into KeyboardInterrupt. Ignore later ones, so that the cleanup completes."""
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt again after a signal: Python drops exceptions that are raised in a destructor."""
    if _interrupted:
        raise KeyboardInterrupt


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    global _interrupted  # noqa: PLW0603  Signal handlers belong to the whole process.
    _interrupted = True
    for number in STOP_SIGNALS:
        # Not SIG_IGN: Python reports an error for a pending signal that becomes ignored.
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


@contextmanager
def stop_signals_held_back() -> Iterator[None]:
    """Block SIGINT and SIGTERM until the end. Threads and processes that start during this time keep them blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
