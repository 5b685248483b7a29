"""Checks every response that a test gets against docs/openapi.json."""

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from storefront.errors import MEDIA_TYPE
from storefront.json_text import to_json
from storefront.routes import STATIC, match

ROOT = Path(__file__).parent.parent
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())

HEADERS = {"allow", "etag", "idempotent-replayed", "link", "location", "retry-after", "www-authenticate"}
"""The headers that a client reads. Each response that sends one must describe it."""

BAD_REQUEST = 400
"""From this status on, application/json comes from API Gateway, with its own spacing."""

UNMATCHED = {"route-not-found", "method-not-allowed"}


def check(method: str, target: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """Raise AssertionError if the response to a request is not described."""
    path = match(target.partition("?")[0])
    methods = DOCUMENT["paths"].get(path, {})
    operation = methods.get("get" if method == "HEAD" else method.lower())
    media_type = headers.get("content-type", "")
    if text and (media_type == MEDIA_TYPE or (media_type == "application/json" and status < BAD_REQUEST)):
        check_spacing(text)
    if operation is None:
        # An unknown route gets a problem. API Gateway sends plain JSON if the URL is invalid, and HEAD has no body. A
        # file of a page is not described.
        is_file = path in STATIC and status < BAD_REQUEST
        has_no_problem = method == "HEAD" or media_type == "application/json" or is_file
        assert has_no_problem or _kind(text) in UNMATCHED, (method, target, status, text)
        return
    what = f"{operation['operationId']}, {status}"
    if media_type != "application/json" or status < BAD_REQUEST:
        assert headers.get("cache-control") == ("no-store" if operation["security"] else "no-cache"), what
    assert str(status) in operation["responses"], f"{what}: {text}"
    response = operation["responses"][str(status)]
    _check_headers(what, response.get("headers", {}), headers)
    content = response.get("content", {})
    if method == "HEAD" or not content:
        assert text == "", what
        return
    assert media_type in content, f"{what}: {media_type}"
    if media_type == MEDIA_TYPE:
        assert _kind(text) in content[media_type]["examples"], f"{what}: {text}"
    if media_type.endswith("json"):
        _validate(_validator(operation["operationId"], str(status), media_type), json.loads(text))


def check_spacing(text: str) -> None:
    """Raise AssertionError if a response does not have the API's JSON spacing, with a newline at the end."""
    assert text == f"{to_json(json.loads(text))}\n", text


def _validate(validator: Draft202012Validator, body: Any) -> None:
    for error in validator.iter_errors(body):
        for cause in _causes(error):
            if cause.validator == "additionalProperties":
                error.message = f"Describe the field in {_class_of(cause.schema)}. {cause.message}"
        raise error


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    yield error
    for cause in error.context or []:
        yield from _causes(cause)


def _class_of(schema: Any) -> str:
    """Return the file and the class of the model that has a schema."""
    name = next(name for name, one in _strict_schemas().items() if one == schema)
    files = [path.name for path in (ROOT / "openapi").glob("*.py") if f"class {name}(" in path.read_text()]
    return f"openapi/{files[0]}, class {name}" if files else name


def _check_headers(what: str, described: Mapping[str, Any], sent: Mapping[str, str]) -> None:
    known = {name.lower(): header for name, header in described.items()}
    assert HEADERS & sent.keys() <= known.keys(), what
    assert {name for name, header in known.items() if header.get("required")} <= sent.keys(), what


def _kind(text: str) -> str:
    kind: str = json.loads(text)["type"].removeprefix("/docs#")
    return kind


@cache
def _validator(operation_id: str, status: str, media_type: str) -> Draft202012Validator:
    operations = (operation for methods in DOCUMENT["paths"].values() for operation in methods.values())
    operation = next(one for one in operations if one["operationId"] == operation_id)
    schema = operation["responses"][status]["content"][media_type]["schema"]
    return Draft202012Validator(
        {**schema, "components": {"schemas": _strict_schemas()}}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


@cache
def _strict_schemas() -> dict[str, Any]:
    # Clients must ignore new fields. In the tests, a field that is not described is an error.
    schemas: dict[str, Any] = copy.deepcopy(DOCUMENT["components"]["schemas"])
    for schema in schemas.values():
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    return schemas
