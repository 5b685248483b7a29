"""Plays the part of an execution environment: loads a handler, and calls it with one event after another.

Runs in the virtual environment of the measured system, so it imports only the standard library. It reads commands from
standard input, one JSON object per line, and writes a JSON response to standard output for each:
  {"handler": "path:name", "events": path, "statuses": [201]}     load the handler and the events
  {"seconds": 1.0, "repeat": true}    call it for this time, and start again after the last event if repeat is true
"""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="00000000-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 28_000,
)


REFUSED, PAUSE = 503, 1.0
"""A client waits so many seconds after such a response. Only a rush allows it."""


@cache
def module_of(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"app_{abs(hash(path))}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # SQLAlchemy and pydantic look up annotations there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def load(handler: str) -> Callable[[Any, Any], Any]:
    """Import a handler by its "path:name"."""
    path, _, name = handler.rpartition(":")
    function: Callable[[Any, Any], Any] = getattr(module_of(path), name)
    return function


def call_handler(
    handler: Callable[[Any, Any], Any], events: list[Any], statuses: list[int], seconds: float, *, repeat: bool
) -> dict[str, Any]:
    """Return the time of each call in microseconds, of all calls in seconds, and the last response body."""
    latencies, clock = [], time.perf_counter
    started = before = clock()
    for event in cycle(events) if repeat else events:
        response = handler(event, CONTEXT)
        after = clock()
        latencies.append(round((after - before) * 1e6))
        if response["statusCode"] not in statuses:
            raise RuntimeError(f"unexpected response: {response}")
        if response["statusCode"] == REFUSED:
            time.sleep(PAUSE)
        before = clock()
        if after - started > seconds:
            break
    return {"latencies": latencies, "elapsed": before - started, "body": response.get("body")}


def main() -> None:
    # The handler's log goes to /dev/null: writing it is measured, storing it is not.
    responses = os.fdopen(os.dup(1), "w")
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    sys.stderr = os.fdopen(devnull, "w")
    loaded: tuple[Callable[[Any, Any], Any], list[Any], list[int]]
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if "handler" in command:
                events = json.loads(Path(command["events"]).read_text())
                loaded = load(command["handler"]), events, command["statuses"]
                response: Any = {"events": len(events)}
            else:
                response = call_handler(*loaded, command["seconds"], repeat=command["repeat"])
        except Exception as error:  # noqa: BLE001  the parent raises it
            response = {"error": repr(error)}
        print(json.dumps(response), file=responses, flush=True)


if __name__ == "__main__":
    main()
