"""Ctrl-C and SIGTERM: once, and not in the middle of what must not be cut short."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_interrupted = False


def interrupt_on_stop_signals() -> None:
    """Turn the first SIGINT or SIGTERM into KeyboardInterrupt; a next one would cut the clean-up short."""
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt where it was raised before: Python drops what comes up within a destructor."""
    if _interrupted:
        raise KeyboardInterrupt


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    global _interrupted  # noqa: PLW0603  As signal handlers are, it is the process's.
    _interrupted = True
    for number in STOP_SIGNALS:
        # Not SIG_IGN: Python complains of a signal that it finds ignored when it comes to handle it.
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


@contextmanager
def stop_signals_held_back() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait. Threads and processes started meanwhile keep them blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
