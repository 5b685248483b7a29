"""SAM CLI as a command, with its files in a folder of its own."""

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
"""Seconds from SIGINT to SIGKILL: SAM CLI removes its containers one after the other."""

# The command `sam`, with the signals that this process holds back while it starts another.
_SAM = """
import signal
signal.pthread_sigmask(signal.SIG_SETMASK, ())
from samcli.cli.main import cli
cli(prog_name="sam")
"""


class SamCli:
    """Builds, invokes and serves the template's functions. Not before a build and a configuration."""

    def __init__(self, folder: Path) -> None:
        """Keep build, configuration and log in a folder, made where missing."""
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
        """Write the file with which any `sam local` command runs this build with these environment variables."""
        options = {
            "template_file": str(self.build_folder / "template.yaml"),
            "parameter_overrides": {"Architecture": architecture},
            # And not by parameters: over those SAM CLI takes a variable of the same name of its own environment.
            "env_vars": str(self._variables),
            "region": REGION,
            "skip_pull_image": skip_pull_image,
        }
        # JSON is YAML too.
        _write_json(self.config, {"version": 0.1, "default": {"global": {"parameters": options}}})
        _write_json(self._variables, variables)

    def invoke(self, function: str) -> str:
        """Run `sam local invoke` without an event; the answer's JSON text. Raises StartError."""
        return self._run("local", "invoke", function, "--config-file", str(self.config))

    @contextmanager
    def start_api(self, host: str, port: int) -> Iterator[Popen[str]]:
        """Run `sam local start-api` until the end."""
        options = ("--host", host, "--port", str(port), "--warm-containers", "EAGER", "--no-watch")
        with self._running("local", "start-api", *options, "--config-file", str(self.config)) as process:
            yield process

    def failure(self, command: str) -> str:
        """Why a command failed, as far as its last words tell."""
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
            # An interrupt in between would leave a process that nobody knows of.
            with stop_signals_held_back():
                process = Popen(
                    [*_ended_with_this_process(), sys.executable, "-c", _SAM, *arguments],
                    cwd=ROOT,
                    env=_environment(),
                    stdout=log if stdout is None else stdout,
                    stderr=log,
                    text=True,
                    # Out of reach of the terminal's Ctrl-C: it ends after what it starts, and before what it uses.
                    start_new_session=True,
                )
                resources.callback(_stop, process)
            yield process


def _write_json(path: Path, content: Any) -> None:
    # The database's URL may have a password in it.
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _environment() -> dict[str, str]:
    # `sam build` looks for the Python that it runs on.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # SAM CLI hands these to the functions. Nobody checks them.
    credentials = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}
    return {**os.environ, **credentials, "PATH": path}


def _ended_with_this_process() -> list[str]:
    # However that ends: a `sam` left over would keep the port.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


def _stop(process: Popen[str]) -> None:
    # The whole group, as the shell would: `sam build` has pip under it.
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(TimeoutExpired):
                process.wait(STOP_TIMEOUT)
