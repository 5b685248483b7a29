"""Servers that run until a context ends, and the processor time of processes."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

START_TIMEOUT = 180.0
STOP_TIMEOUT = 20.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def serve(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: Path, ready: str
) -> Iterator[int]:
    """Run a server, and yield its process ID once its log contains a text. Raises RuntimeError."""
    with log.open("w") as output:
        # A session of its own: the server's processes are stopped together, and Ctrl-C reaches only this process.
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(ready, process, log)
        yield process.pid
    finally:
        _stop(process)


def _wait_for(ready: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while ready not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    # The group's other processes, or all if the server ignores SIGTERM.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def processor_time(processes: Iterable[int]) -> float:
    """Return the seconds that processes and their children have computed, also children that have ended."""
    return sum(_seconds(one) for pid in processes for one in _with_children(pid))


def _with_children(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
