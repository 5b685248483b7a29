"""Every answer that a test gets is held against the API's description."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from storefront.errors import MEDIA_TYPE
from storefront.routes import match

DOCUMENT = json.loads((Path(__file__).parent.parent / "docs" / "openapi.json").read_text())

HEADERS = {"allow", "etag", "idempotent-replayed", "link", "location", "retry-after", "www-authenticate"}
"""Those that mean something to a client, and so are described where they are sent."""

UNMATCHED = {"route-not-found", "method-not-allowed"}


def check(method: str, target: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """AssertionError where the answer to a request is not one that is described."""
    path = match(target.partition("?")[0])
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    media_type = headers.get("content-type", "")
    if operation is None:
        # API Gateway's own words about what is no URL, and the function's about any other path or method. The answer to
        # HEAD has no body.
        is_own = method == "HEAD" or media_type == "application/json"
        assert is_own or _kind(text) in UNMATCHED, (method, target, status, text)
        return
    what = f"{operation['operationId']}, {status}"
    assert str(status) in operation["responses"], f"{what}: {text}"
    response = operation["responses"][str(status)]
    _check_headers(what, response.get("headers", {}), headers)
    content = response.get("content", {})
    if not content:
        assert text == "", what
        return
    assert media_type in content, f"{what}: {media_type}"
    if media_type == MEDIA_TYPE:
        assert _kind(text) in content[media_type]["examples"], f"{what}: {text}"
    if media_type.endswith("json"):
        _validator(operation["operationId"], str(status), media_type).validate(json.loads(text))


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
        {**schema, "components": {"schemas": _closed()}}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


@cache
def _closed() -> dict[str, Any]:
    # Clients are told that fields may be added. Here one that nobody described is a mistake.
    schemas: dict[str, Any] = copy.deepcopy(DOCUMENT["components"]["schemas"])
    for schema in schemas.values():
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    return schemas
