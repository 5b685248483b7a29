"""The template's functions as Lambda runs them, without containers."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from typing import Self

from samcli.lib.providers.provider import Function
from samcli.lib.utils.stream_writer import StreamWriter
from samcli.local.lambdafn.env_vars import EnvironmentVariables

from local.environments import Configuration, ExecutionEnvironment, InvocationError, Launcher
from local.settings import EVERY_FUNCTION
from local.template import code_folders

MAX_ENVIRONMENTS = 4
"""Execution environments of one function, which is how many of its invocations run at once."""

CODE_CHECK_INTERVAL = 1.0
"""Seconds between two looks at the modification times of a function's code."""

_CODE_SUFFIX = ".py"
_DEFAULT_TIMEOUT = 3
_DEFAULT_MEMORY = 128


class LambdaRunner:
    """Invokes the functions of a template. Takes the place of SAM CLI's LocalLambdaRunner."""

    def __init__(self, functions: Iterable[Function], variables: Mapping[str, Mapping[str, str]]) -> None:
        """variables: every function's, and a function's own, by its name; they win over the template's."""
        self._launcher = Launcher()
        every = variables[EVERY_FUNCTION]
        self._pools = {
            function.name: _Pool(function, {**every, **variables.get(function.name, {})}, self._launcher)
            for function in functions
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._launcher.close()

    def call(self, function_name: str, event: str) -> str:
        """Invoke a function with a JSON text and give back its answer's. Raises InvocationError."""
        pool = self._pools.get(function_name)
        if pool is None:
            raise InvocationError(f"The template has no function {function_name}.")
        return pool.invoke(event)

    def invoke(
        self,
        function_name: str,
        event: str,
        stdout: StreamWriter,
        stderr: StreamWriter | None = None,  # noqa: ARG002  SAM CLI passes it; logs go to the console.
        tenant_id: str | None = None,  # noqa: ARG002  SAM CLI passes it.
    ) -> None:
        """Invoke a function for SAM CLI's API Gateway emulator. Raises InvocationError."""
        stdout.write_str(self.call(function_name, event))

    def is_debugging(self) -> bool:
        """Whether a debugger is attached, as SAM CLI asks."""
        return False


class _Pool:
    """The execution environments of one function, started on demand."""

    def __init__(self, function: Function, variables: Mapping[str, str], launcher: Launcher) -> None:
        self._launcher = launcher
        self._code = _Code(code_folders(function))
        self._configuration = Configuration(
            handler=function.handler,
            folder=Path(function.codeuri),
            variables=_variables(function, variables),
            timeout=function.timeout or _DEFAULT_TIMEOUT,
        )
        # Last in, first out: a developer's single requests keep to one warm process.
        self._environments: LifoQueue[ExecutionEnvironment | None] = LifoQueue()
        for _ in range(MAX_ENVIRONMENTS):
            self._environments.put(None)

    def invoke(self, event: str) -> str:
        environment = self._environments.get()
        try:
            environment = self._current(environment)
            return environment.invoke(event)
        finally:
            self._environments.put(environment)

    def _current(self, environment: ExecutionEnvironment | None) -> ExecutionEnvironment:
        version = self._code.version()
        if environment is not None:
            if environment.is_alive() and environment.code_version == version:
                return environment
            environment.stop()
        return self._launcher.launch(self._configuration, version)


class _Code:
    """A function's source files, watched so that an edit takes effect within CODE_CHECK_INTERVAL."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._lock = Lock()
        self._version = 0
        self._checked_at = float("-inf")

    def version(self) -> int:
        """Give a number that changes with the files, at most CODE_CHECK_INTERVAL later."""
        with self._lock:
            if time.monotonic() - self._checked_at >= CODE_CHECK_INTERVAL:
                self._version = hash(frozenset(self._modification_times()))
                self._checked_at = time.monotonic()
            return self._version

    def _modification_times(self) -> Iterable[tuple[str, int]]:
        for top in self._folders:
            for folder, _, names in os.walk(top):
                for name in names:
                    if name.endswith(_CODE_SUFFIX):
                        path = os.path.join(folder, name)  # noqa: PTH118  Path is several times slower here.
                        yield path, _modification_time(path)


def _modification_time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  As above.
    except FileNotFoundError:
        # An editor that saves by renaming.
        return 0


def _variables(function: Function, overrides: Mapping[str, str]) -> dict[str, str]:
    # From nothing, as Lambda's is: the developer's own AWS_PROFILE or PYTHONPATH must not change a function.
    template = (function.environment or {}).get("Variables", {})
    memory = function.memory or _DEFAULT_MEMORY
    timeout = function.timeout or _DEFAULT_TIMEOUT
    lambda_variables = EnvironmentVariables(
        function.name, memory, timeout, function.handler, function.logging_config, variables=template
    ).resolve()
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, code_folders(function))),
        "LAMBDA_TASK_ROOT": str(function.codeuri),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        **lambda_variables,
        **overrides,
    }
