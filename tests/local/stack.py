"""`make run` as a child process."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from tests.api_client import ROOT


@dataclass
class Stack:
    """A running stack."""

    process: subprocess.Popen[str]
    url: str
    output: list[str]

    def wait_for(self, text: str, seconds: float = 10) -> None:
        """Wait until the output contains a text. Raises AssertionError after some seconds."""
        deadline = time.monotonic() + seconds
        while not any(text in line for line in self.output):
            assert time.monotonic() < deadline, "".join(self.output)
            time.sleep(0.01)

    def banner_commands(self) -> str:
        """Return the commands of the banner, as a shell script."""
        printed = "".join(self.output).partition("Storefront is on ")[2].partition("The webhook's secrets")[0]
        return "".join(re.findall(r"(?m)^  .*\n", printed))

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal to the main process, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def start(data_dir: Path, module: str = "local", **environment: str) -> subprocess.Popen[str]:
    """Start `make run`'s command, or that of another module, on a data folder."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(data_dir),
        "PYTHONPATH": str(ROOT / "layers" / "common" / "python"),
        "DATA_DIR": str(data_dir),
        "PORT": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**variables, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running(data_dir: Path, module: str = "local", **environment: str) -> Iterator[Stack]:
    """Run a stack until the end."""
    process = start(data_dir, module, **environment)
    assert process.stdout is not None
    output: list[str] = []
    # Reads until the end: a full pipe would block the stack.
    reader = threading.Thread(target=output.extend, args=(process.stdout,))
    try:
        url = _wait_until_it_serves(process.stdout, output)
        reader.start()
        yield Stack(process, url, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)
        if reader.ident is not None:
            reader.join()
        process.stdout.close()


def token(data_dir: Path, *arguments: str) -> str:
    """Return what `make token` prints."""
    environment = {**os.environ, "DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT / "layers" / "common" / "python")}
    command = [sys.executable, "-m", "local.tokens", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def _wait_until_it_serves(stdout: IO[str], output: list[str]) -> str:
    for line in stdout:
        output.append(line)
        if found := re.search(r"Storefront is on (http://\S+)", line):
            url = found[1]
            address = url.removeprefix("http://").split(":")
            socket.create_connection((address[0], int(address[1])), 10).close()
            return url
    raise AssertionError("".join(output))


def processes_of(data_dir: Path) -> list[str]:
    """Return the command lines of all processes with the data folder in their arguments or environment."""
    return [" ".join(process.cmdline()) for process in psutil.process_iter() if str(data_dir) in _description(process)]


def _description(process: psutil.Process) -> str:
    try:
        return " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:
        # The process ended meanwhile.
        return ""
