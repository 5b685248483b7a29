"""Make the functions' log lines readable. Lambda's own lines are left out."""

import json
import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rich.text import Text

from local.settings import ROOT
from local.terminal import PATH_CHARACTERS, event_line, level_style, printable, request_line

_LEFT_OUT = re.compile(
    r"(START|END|REPORT) RequestId: "
    # The gateway reports these with the function's name and the cause.
    r"|.* \[ERROR\] \(rapid\) (Init|Invoke) "
)
_RUNTIME_HINT = "LAMBDA_WARNING: "
_REPORTED_ERROR = "MigrationError"
"""Its message is about a SQL file. The terminal shows it without the traceback, see reload.py and stack.py."""

_COMMON_FIELDS = {"level", "message", "timestamp", "service", "logger"}
_COMMON_FIELDS |= {"request_id", "function_request_id", "requestId"}
_REQUEST_FIELDS = {"method", "route", "path", "status", "duration_ms", "scheme", "key", "event_id"}
_ERROR_FIELDS = {"exception", "exception_name", "stack_trace", "stackTrace", "errorType", "errorMessage"}

# Lambda leaves the comma out where it reports a syntax error.
_FRAME = re.compile(r'  File "(.+?)",? [Ll]ine [0-9]+')
_LIBRARY = re.compile(r"/(site-packages|python3\.\d+|awslambdaric)/|^<")


def readable(function: str, line: str) -> Text | None:
    """Return a function's log line in readable form, or None for a line to leave out."""
    if _LEFT_OUT.match(line):
        return None
    try:
        return _readable_json(function, line)
    except Exception:  # noqa: BLE001  A function can write anything. No line may get lost.
        return Text(printable(line))


def _readable_json(function: str, line: str) -> Text | None:
    fields = json.loads(line)
    if not isinstance(fields, dict) or not isinstance(fields.get("level"), str):
        # CloudWatch's metrics are JSON objects without a level.
        return None if isinstance(fields, dict) and "_aws" in fields else Text(printable(line))
    if str(fields.get("message", "")).startswith(_RUNTIME_HINT) or fields.get("errorType") == _REPORTED_ERROR:
        return None
    text = _request(fields) if _is_request(fields) else _event(function, fields)
    for traceback_line in _traceback(fields):
        text.append("\n").append_text(traceback_line)
    return text


def short_path(path: str) -> str:
    """Return the path of one of the project's files from the project's folder, and any other path unchanged."""
    return os.path.relpath(path, ROOT) if path.startswith(f"{ROOT}{os.sep}") else path


def _is_request(fields: dict[str, Any]) -> bool:
    numbers = (fields.get("status"), fields.get("duration_ms"))
    return fields.get("message") == "request" and all(isinstance(number, int | float) for number in numbers)


def _request(fields: dict[str, Any]) -> Text:
    path = quote(str(fields.get("path")), safe=PATH_CHARACTERS)
    note = Text(_note(fields), level_style(fields["level"]))
    return request_line(str(fields.get("method")), path, fields["status"], fields["duration_ms"], note)


def _note(fields: dict[str, Any]) -> str:
    outcome = {"payment_status", "outcome", "stored_outcome"}
    known = _COMMON_FIELDS | _REQUEST_FIELDS | _ERROR_FIELDS | outcome | {"problem"}
    parts = [str(fields["problem"])] if "problem" in fields else []
    if "outcome" in fields:
        parts.append(f"{fields.get('payment_status', '')} → {fields['outcome']}".lstrip())
    if fields["level"] == "INFO":
        known |= {"order_id"}
    if fields["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The response says that the log has the cause under this ID.
        known -= {"request_id"}
    return " ".join([*parts, *_pairs(fields, known)])


def _event(function: str, fields: dict[str, Any]) -> Text:
    if "errorType" in fields:
        what = f"{fields['errorType']}: {fields.get('errorMessage')}"
    else:
        what = " ".join([str(fields.get("message")), *_pairs(fields, _COMMON_FIELDS | _ERROR_FIELDS)])
    return event_line(fields["level"], f"{function}: {what}")


def _pairs(fields: dict[str, Any], known: set[str]) -> Iterator[str]:
    return (f"{name}={value}" for name, value in fields.items() if name not in known)


def _traceback(fields: dict[str, Any]) -> Iterator[Text]:
    stack = fields.get("stackTrace") or []
    text = str(fields.get("exception") or "".join(map(str, stack)))
    hidden = 0
    in_library = False
    for line in text.splitlines():
        if frame := _FRAME.match(line):
            path = frame[1]
            in_library = _LIBRARY.search(path) is not None
            hidden += in_library
            line = line.replace(path, short_path(path))  # noqa: PLW2901  The same line, with a shorter path.
        elif not line.startswith("    "):
            in_library = False
        if in_library:
            continue
        if hidden:
            yield Text(f"  … {hidden} calls within libraries", "dim")
            hidden = 0
        yield Text(printable(line), _traceback_style(line))


def _traceback_style(line: str) -> str:
    if line.startswith("  File "):
        return "cyan"
    return "" if line.startswith(" ") else "bold red"
