"""Run SAM CLI's commands, with their files in a separate folder."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from typing import Any

from local.aws import REGION
from local.settings import ROOT, StartError
from local.signals import stop_signals_held_back

STOP_TIMEOUT = 20.0
"""Seconds from SIGINT to SIGKILL. SAM CLI removes its containers one after another."""

# The command `sam`, with the signals unblocked that this process blocks while it starts another.
_SAM = """
import signal
signal.pthread_sigmask(signal.SIG_SETMASK, ())
from samcli.cli.main import cli
cli(prog_name="sam")
"""


class SamCli:
    """Builds, invokes and serves the template's functions. Call build() and configure() first."""

    def __init__(self, folder: Path) -> None:
        """Keep build, configuration and log in a folder, created if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self.build_folder = folder / "build"
        self.config = folder / "sam.yaml"
        self.log = folder / "log"
        self._variables = folder / "variables.json"
        self.log.write_text("")

    def build(self, template: Path, architecture: str) -> None:
        """Run `sam build`. Raises StartError."""
        cache = self.build_folder.with_name("cache")
        self._run(
            *("build", "--template", str(template), "--parameter-overrides", f"Architecture={architecture}"),
            *("--build-dir", str(self.build_folder), "--cached", "--cache-dir", str(cache)),
        )

    def configure(
        self, architecture: str, variables: Mapping[str, Mapping[str, str]], *, skip_pull_image: bool
    ) -> None:
        """Write the configuration file for `sam local`: this build, with these environment variables."""
        options = {
            "template_file": str(self.build_folder / "template.yaml"),
            "parameter_overrides": {"Architecture": architecture},
            # Not as parameters: SAM CLI prefers variables of the same name from its own environment to those.
            "env_vars": str(self._variables),
            "region": REGION,
            "skip_pull_image": skip_pull_image,
        }
        # Every JSON file is a YAML file.
        _write_json(self.config, {"version": 0.1, "default": {"global": {"parameters": options}}})
        _write_json(self._variables, variables)

    def invoke(self, function: str) -> str:
        """Run `sam local invoke` without an event, and return the response as JSON text. Raises StartError."""
        return self._run("local", "invoke", function, "--config-file", str(self.config))

    @contextmanager
    def start_api(self, host: str, port: int) -> Iterator[Popen[str]]:
        """Run `sam local start-api` until the end."""
        options = ("--host", host, "--port", str(port), "--warm-containers", "EAGER", "--no-watch")
        with self._running("local", "start-api", *options, "--config-file", str(self.config)) as process:
            yield process

    def failure(self, command: str) -> str:
        """Return why a command failed, according to the end of its log."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        reason = next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1] if lines else "")
        return f"`sam {command}` failed: {reason.removeprefix('Error: ')} (more in {self.log})"

    def _run(self, *arguments: str) -> str:
        with self._running(*arguments, stdout=PIPE) as process:
            output, _ = process.communicate()
        if process.returncode:
            raise StartError(self.failure(arguments[0]))
        return output

    @contextmanager
    def _running(self, *arguments: str, stdout: int | None = None) -> Iterator[Popen[str]]:
        with ExitStack() as resources:
            log = resources.enter_context(self.log.open("a"))
            # An interrupt here would leave a process that is not stopped.
            with stop_signals_held_back():
                process = Popen(
                    [*_ended_with_this_process(), sys.executable, "-c", _SAM, *arguments],
                    cwd=ROOT,
                    env=_environment(),
                    stdout=log if stdout is None else stdout,
                    stderr=log,
                    text=True,
                    # Without the terminal's Ctrl-C: it must end before the services that it uses.
                    start_new_session=True,
                )
                resources.callback(_stop, process)
            yield process


def _write_json(path: Path, content: Any) -> None:
    # The database's URL may contain a password.
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _environment() -> dict[str, str]:
    # `sam build` looks for its own version of Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # SAM CLI passes these to the functions. Moto does not check them.
    credentials = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}
    return {**os.environ, **credentials, "PATH": path}


def _ended_with_this_process() -> list[str]:
    # Also after a crash: a `sam` that still runs would keep the port.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


def _stop(process: Popen[str]) -> None:
    # The whole process group, as a shell does: `sam build` starts pip.
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(TimeoutExpired):
                process.wait(STOP_TIMEOUT)
