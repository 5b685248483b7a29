"""Invocations of a route's function with something other than a request, such as a warm-up ping."""

import re
from typing import Any

EXPECTED = "an event of an HTTP API of API Gateway, payload format 2.0"

MAX_KEYS = 20

_TYPES = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}

# Of programs, and not of people.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


def is_request(event: Any) -> bool:
    """Return whether an event is a request of an HTTP API.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    request = _object(event)
    context = _object(request.get("requestContext"))
    of_request = (request.get(name) for name in ("rawPath", "routeKey"))
    of_context = (context.get(name) for name in ("requestId", "stage"))
    method = _object(context.get("http")).get("method")
    has_headers = isinstance(request.get("headers", {}), dict)
    return has_headers and all(isinstance(text, str) for text in (*of_request, *of_context, method))


def form_of(event: Any) -> dict[str, Any]:
    """Describe an event for the log: its type, keys and source, and no other value, because those can be personal."""
    form: dict[str, Any] = {"type": "null" if event is None else _TYPES[type(event)]}
    if isinstance(event, dict):
        form["keys"] = _names(event)
    if context := _names(_object(_object(event).get("requestContext"))):
        form["request_context"] = context
    source = _object(event).get("source")
    if isinstance(source, str) and _NAME.fullmatch(source):
        form["source"] = source
    return form


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: dict[str, Any]) -> list[str]:
    return sorted(filter(_NAME.fullmatch, value))[:MAX_KEYS]
