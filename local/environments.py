"""Execution environments of functions: processes of AWS's runtime interface emulator and runtime client."""

import json
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired
from threading import Thread
from typing import IO

import samcli

from local.settings import LOOPBACK

INIT_TIMEOUT = 10.0
"""Seconds until a function must be imported, as in Lambda, and until an emulator must listen."""

STOP_TIMEOUT = 2.0
"""Seconds from SIGTERM to SIGKILL. The emulator takes about 20 ms to end its runtime and itself."""

READ_TIMEOUT = 1.0
"""Seconds to wait at the end for the last log lines."""

OnLogLine = Callable[[str, str], None]
"""Called with a function's name and one line that it wrote."""

_LAUNCH_ATTEMPTS = 3
_INVOCATION_PATH = "/2015-03-31/functions/function/invocations"
_TIMED_OUT = "Task timed out"
_ERROR_FIELDS = {"errorMessage", "errorType", "requestId", "stackTrace"}


class InvocationError(Exception):
    """A function raised an exception, crashed, timed out or could not be imported. The message is Lambda's."""


@dataclass(frozen=True)
class Configuration:
    """The settings of an execution environment. The timeout is in seconds."""

    function: str
    handler: str
    folder: Path
    variables: Mapping[str, str]
    timeout: int


class ExecutionEnvironment:
    """One emulator with its runtime. It handles one invocation at a time."""

    def __init__(self, process: Popen[bytes], connection: HTTPConnection, code_version: object) -> None:
        """Use a process that listens. code_version: for the owner to compare."""
        self.code_version = code_version
        self._process = process
        self._connection = connection

    def is_alive(self) -> bool:
        """Return whether the emulator runs. Its runtime may have ended."""
        return self._process.poll() is None

    def invoke(self, event: str) -> str:
        """Invoke the handler with a JSON text, and return its response as JSON text. Raises InvocationError."""
        try:
            self._connection.request("POST", _INVOCATION_PATH, event.encode())
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, HTTPException) as error:
            self.stop()
            raise InvocationError("The execution environment ended during the invocation.") from error
        if response.status != HTTPStatus.OK or text.startswith(_TIMED_OUT):
            # Like Lambda, do not use an environment again after a crash or a timeout.
            self.stop()
            raise InvocationError(_error_message(text) or text)
        if message := _error_message(text):
            raise InvocationError(message)
        return text

    def stop(self) -> None:
        """End the processes. May be called twice."""
        self._connection.close()
        stop_processes([self._process])


class Launcher:
    """Starts execution environments. They end when it is closed, or when this process ends."""

    def __init__(self, on_log_line: OnLogLine | None = None) -> None:
        """on_log_line: None lets the functions write to the terminal themselves."""
        # The kernel signals the child when the parent *thread* ends, and the thread of a request ends with the
        # request. So one long-lived thread starts all processes.
        self._parent = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lambda-parent")
        self._processes: list[Popen[bytes]] = []
        self._on_log_line = on_log_line
        self._readers: list[Thread] = []

    def launch(self, configuration: Configuration, code_version: object) -> ExecutionEnvironment:
        """Start an environment. Its handler is imported at the first invocation. Raises InvocationError."""
        for _ in range(_LAUNCH_ATTEMPTS):
            ports = _free_ports()
            try:
                process = self._parent.submit(self._start, configuration, ports).result()
            except RuntimeError as error:
                raise InvocationError("The stack is stopping.") from error
            connection = HTTPConnection(LOOPBACK, ports[0], timeout=configuration.timeout + 2 * INIT_TIMEOUT)
            if _connect(process, connection):
                return ExecutionEnvironment(process, connection, code_version)
            # Another process took a port after it was found free.
            stop_processes([process])
        raise InvocationError("The runtime interface emulator does not start.")

    def close(self) -> None:
        """End every environment, also during an invocation."""
        self._parent.shutdown(cancel_futures=True)
        stop_processes(self._processes)
        for reader in self._readers:
            reader.join(READ_TIMEOUT)

    def _start(self, configuration: Configuration, ports: tuple[int, int]) -> Popen[bytes]:
        process = Popen(
            _command(configuration.handler, ports),
            cwd=configuration.folder,
            env=configuration.variables,
            stdin=DEVNULL,
            stdout=PIPE if self._on_log_line else None,
            stderr=STDOUT if self._on_log_line else None,
            # Without the terminal's Ctrl-C: the stack ends its environments itself, in order.
            start_new_session=True,
        )
        self._processes = [process, *(one for one in self._processes if one.poll() is None)]
        if self._on_log_line and process.stdout:
            reader = Thread(
                target=_read_log, args=(configuration.function, process.stdout, self._on_log_line), daemon=True
            )
            reader.start()
            self._readers = [reader, *(one for one in self._readers if one.is_alive())]
        return process


def _read_log(function: str, log: IO[bytes], on_log_line: OnLogLine) -> None:
    # An error must not end the loop: a full pipe would block the function.
    with log:
        for line in log:
            with suppress(Exception):
                on_log_line(function, line.decode(errors="replace").rstrip("\n"))


def missing_programs() -> list[str]:
    """Return what this machine lacks to run functions."""
    needed = {"Linux": sys.platform == "linux", "setpriv (util-linux)": shutil.which("setpriv") is not None}
    needed["the runtime interface emulator for " + platform.machine()] = _emulator().is_file()
    return [name for name, present in needed.items() if not present]


def stop_processes(processes: list[Popen[bytes]]) -> None:
    """End emulators with their runtimes."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except TimeoutExpired:
            process.kill()
            process.wait()


def _command(handler: str, ports: tuple[int, int]) -> list[str]:
    # SIGTERM makes the emulator end its runtime. SIGKILL would leave a busy runtime behind.
    return [
        *(str(shutil.which("setpriv")), "--pdeathsig", "TERM"),
        *(str(_emulator()), "--log-level", "error"),
        *("--runtime-interface-emulator-address", f"{LOOPBACK}:{ports[0]}"),
        *("--runtime-api-address", f"{LOOPBACK}:{ports[1]}"),
        *(sys.executable, "-m", "awslambdaric", handler),
    ]


def _emulator() -> Path:
    architecture = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"


def _free_ports() -> tuple[int, int]:
    with socket.create_server((LOOPBACK, 0)) as first, socket.create_server((LOOPBACK, 0)) as second:
        return first.getsockname()[1], second.getsockname()[1]


def _connect(process: Popen[bytes], connection: HTTPConnection) -> bool:
    deadline = time.monotonic() + INIT_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.002)
        else:
            return True
    return False


def _error_message(text: str) -> str | None:
    try:
        error = json.loads(text)
    except ValueError:
        return None
    # The emulator sends no X-Amz-Function-Error header. Only the fields distinguish an error from a response.
    if isinstance(error, dict) and "errorType" in error and error.keys() <= _ERROR_FIELDS:
        return f"{error['errorType']}: {error.get('errorMessage', '')}"
    return None
