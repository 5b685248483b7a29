"""Run the template's functions as Lambda does, without containers."""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from queue import LifoQueue
from typing import Self

from samcli.lib.providers.provider import Function
from samcli.lib.utils.stream_writer import StreamWriter
from samcli.local.lambdafn.env_vars import EnvironmentVariables

from local.environments import Configuration, ExecutionEnvironment, InvocationError, Launcher, OnLogLine
from local.reload import OnChange, SourceFiles
from local.settings import EVERY_FUNCTION
from local.template import code_folders

MAX_ENVIRONMENTS = 4
"""Execution environments of one function: the maximum of its concurrent invocations."""

_DEFAULT_TIMEOUT = 3
_DEFAULT_MEMORY = 128


class LambdaRunner:
    """Invokes the functions of a template. Replaces SAM CLI's LocalLambdaRunner."""

    def __init__(
        self,
        functions: Iterable[Function],
        variables: Mapping[str, Mapping[str, str]],
        on_log_line: OnLogLine | None = None,
    ) -> None:
        """variables: those of every function, and those of one function by its name. They override the template's."""
        functions = list(functions)
        self._launcher = Launcher(on_log_line)
        self._sources = SourceFiles({folder for function in functions for folder in code_folders(function)})
        every = variables[EVERY_FUNCTION]
        self._pools = {
            function.name: _Pool(function, {**every, **variables.get(function.name, {})}, self._launcher, self._sources)
            for function in functions
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._launcher.close()

    def call(self, function_name: str, event: str) -> str:
        """Invoke a function with a JSON text, and return its response as JSON text. Raises InvocationError."""
        pool = self._pools.get(function_name)
        if pool is None:
            raise InvocationError(f"The template has no function {function_name}.")
        self._sources.refresh()
        return pool.invoke(event)

    def watching(self, paths: Iterable[Path], on_change: OnChange) -> AbstractContextManager[None]:
        """Until the end, call a function when the functions' code or one of these files or folders changed."""
        return self._sources.watching(paths, on_change)

    def invoke(
        self,
        function_name: str,
        event: str,
        stdout: StreamWriter,
        stderr: StreamWriter | None = None,  # noqa: ARG002  SAM CLI passes it. Logs go to the terminal.
        tenant_id: str | None = None,  # noqa: ARG002  SAM CLI passes it.
    ) -> None:
        """Invoke a function for SAM CLI's API Gateway emulator. Raises InvocationError."""
        stdout.write_str(self.call(function_name, event))

    def is_debugging(self) -> bool:
        """Whether a debugger is attached, as SAM CLI asks."""
        return False


class _Pool:
    """The execution environments of one function, started on demand."""

    def __init__(
        self, function: Function, variables: Mapping[str, str], launcher: Launcher, sources: SourceFiles
    ) -> None:
        self._launcher = launcher
        self._sources = sources
        self._code_folders = code_folders(function)
        self._configuration = Configuration(
            function=function.name,
            handler=function.handler,
            folder=Path(function.codeuri),
            variables=_variables(function, variables),
            timeout=function.timeout or _DEFAULT_TIMEOUT,
        )
        # Last in, first out: single requests always use the same warm process.
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
        if environment is not None:
            if environment.is_alive() and environment.code_version == self._sources.version(self._code_folders):
                return environment
            environment.stop()
        # A new process loads the Python files as they are now, which may need SQL that is not applied yet.
        self._sources.refresh(at_once=True)
        return self._launcher.launch(self._configuration, self._sources.version(self._code_folders))


def _variables(function: Function, overrides: Mapping[str, str]) -> dict[str, str]:
    # As in Lambda, the environment starts empty: the developer's AWS_PROFILE must not change a function.
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
