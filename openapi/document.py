"""The OpenAPI 3.1 document: routes, models, problems and examples."""

import json
import tomllib
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from openapi import responses, schemas
from openapi.headers import REQUEST_HEADERS, RESPONSE_HEADERS
from openapi.operation import Operation
from openapi.operations import OPERATIONS, TAGS
from openapi.problems import EXAMPLES, description, every_problem, example
from openapi.security import SCHEMES, requirement
from storefront import errors
from storefront.access import OPEN, Forbidden, TokenMissing
from storefront.errors import Problem
from storefront.fields import MAX_INTEGER
from storefront.reconciliation.models import ReconciliationKind
from storefront.routes import OF_CUSTOMERS, ROUTES, Access, path_parameters

ROOT = Path(__file__).parent.parent
_JSON = "application/json"

GATEWAY = {
    401: "Unauthorized",
    403: "Forbidden",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""The messages of API Gateway's own errors."""

_INTRODUCTION = """\
Products with stock, orders, and a webhook for payment processors.

- Bodies are JSON.
- Money is a decimal string with two places. Requests may also send a number.
- IDs are UUIDs.
- Times are RFC 3339 in UTC.
- Unknown fields and query parameters are errors. Only payment events may have unknown fields.
- An empty query parameter (`?status=`) is an error. Leave out a filter that you do not use.
- HEAD works wherever GET does: the same status and headers, without a body.
- `Cache-Control` is `no-store` on every route that needs a token or a signature, and `no-cache` on the others: caches
  must check with `If-None-Match` before they use a copy.
- Errors are `application/problem+json` (RFC 9457). The `type` of a problem links to its explanation. API Gateway's own
  errors are `{"message": …}`.
"""


def document() -> dict[str, Any]:
    """Return the whole document."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bodies = [operation.body for operation in OPERATIONS.values() if operation.body is not None]
    models = [operation.response for operation in OPERATIONS.values() if isinstance(operation.response, type)]
    paths: dict[str, Any] = defaultdict(dict)
    for (method, path), operation in OPERATIONS.items():
        paths[path][method.lower()] = _operation(method, path, operation)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Storefront",
            "summary": project["description"],
            "description": _INTRODUCTION,
            "version": project["version"],
        },
        "servers": [{"url": "/", "description": "The address of this document."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components(bodies, [*models, responses.Problem, responses.Message]),
            "securitySchemes": SCHEMES,
        },
        "x-problem-types": [_problem_type(kind) for kind in every_problem()],
    }


def text() -> str:
    """Return the content of docs/openapi.json."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _problem_type(kind: type[Problem]) -> dict[str, Any]:
    return {
        "type": f"/docs#{kind.kind}",
        "status": kind.status,
        "title": kind.title,
        "description": description(kind),
        "example": example(kind),
    }


def _operation(method: str, path: str, operation: Operation) -> dict[str, Any]:
    access = ROUTES[path][method]
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    of_customers = OF_CUSTOMERS.get((method, path))
    described["security"] = requirement(access, *([of_customers] if of_customers else []))
    if parameters := _parameters(path, operation):
        described["parameters"] = parameters
    if operation.body is not None:
        content = {"schema": _reference(operation.body), "examples": _request_examples(operation)}
        described["requestBody"] = {"required": True, "content": {_JSON: content}}
    described["responses"] = _responses(operation, access)
    return described


def _parameters(path: str, operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    parameters.extend(_path_parameter(path, name, operation) for name in path_parameters(path))
    parameters.extend({"name": name, "in": "header", **REQUEST_HEADERS[name]} for name in operation.request_headers)
    if operation.parameters is not None:
        queries = {name: text for one in operation.all_examples().values() for name, text in one.query.items()}
        for name, schema in schemas.parameters(operation.parameters).items():
            description = schema.pop("description")
            parameter: dict[str, Any] = {"name": name, "in": "query", "description": description, "schema": schema}
            if name in queries:
                parameter["example"] = int(queries[name]) if schema.get("type") == "integer" else queries[name]
            parameters.append(parameter)
    return parameters


def _path_parameter(path: str, name: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"The ID of the {path.split('/')[2].removesuffix('s').replace('-', ' ')}.",
    }
    if name == "kind":
        kinds = list(get_args(ReconciliationKind))
        schema: dict[str, Any] = {"type": "string", "enum": kinds}
        return {**described, "description": "The kind of the entry.", "schema": schema, "example": operation.path_kind}
    example = operation.path_id
    if example.isdecimal():
        schema = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}
        return {**described, "schema": schema, "example": int(example)}
    return {**described, "schema": {"type": "string", "format": "uuid"}, "example": example}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _request_examples(operation: Operation) -> dict[str, Any]:
    bodies = {name: example.body for name, example in operation.all_examples().items()}
    own = getattr(operation.body, "EXAMPLES", {})
    return {name: {"value": value} for name, value in {**bodies, **own}.items()}


def _responses(operation: Operation, access: Access) -> dict[str, Any]:
    responses = {str(operation.status): _response(operation)}
    if "If-None-Match" in operation.request_headers:
        responses["304"] = {
            "description": "The ETag in `If-None-Match` is current.",
            "headers": {"ETag": RESPONSE_HEADERS["ETag"]},
        }
    kinds: set[type[Problem]] = operation.all_problems() | {errors.InternalError, errors.Unavailable}
    gateway = {429, 500, 503}
    if operation.path_id:
        kinds.add(errors.InvalidRequest)
    if access is not Access.SIGNATURE:
        kinds.add(errors.PreconditionNotSupported)
    if access not in OPEN:
        kinds |= {TokenMissing, Forbidden}
        gateway |= {401, 403}
    if operation.body is not None:
        gateway.add(413)
    for status in sorted({*gateway, *(kind.status for kind in kinds)}):
        responses[str(status)] = _error_response(
            sorted((kind for kind in kinds if kind.status == status), key=lambda kind: kind.kind),
            GATEWAY[status] if status in gateway else None,
        )
    return responses


def _response(operation: Operation) -> dict[str, Any]:
    response: dict[str, Any] = {"description": f"{HTTPStatus(operation.status).phrase}."}
    if operation.response_headers:
        response["headers"] = {name: RESPONSE_HEADERS[name] for name in operation.response_headers}
    if isinstance(operation.response, type):
        response["content"] = {_JSON: {"schema": _reference(operation.response)}}
    elif operation.response is not None:
        response["content"] = {operation.response: {"schema": {"type": "string"}}}
    if operation.links:
        response["links"] = {id_: _link(id_, parameters) for id_, parameters in operation.links.items()}
    return response


def _link(id_: str, parameters: dict[str, Any]) -> dict[str, Any]:
    link: dict[str, Any] = {"operationId": id_}
    path = {name: value for name, value in parameters.items() if name != "body"}
    if path:
        link["parameters"] = path
    if "body" in parameters:
        link["requestBody"] = parameters["body"]
    return link


def _error_response(kinds: list[type[Problem]], gateway_message: str | None) -> dict[str, Any]:
    """gateway_message: the message of API Gateway's own error with this status."""
    described = [f"- [`{kind.kind}`](/docs#{kind.kind}): {description(kind)}" for kind in kinds]
    content: dict[str, Any] = {}
    if kinds:
        examples = {kind.kind: {"value": example(kind)} for kind in kinds}
        schema: dict[str, Any] = _reference(responses.Problem)
        if gateway_message:
            # Generated clients read every response with a status by the first media type of that status.
            schema = {"anyOf": [schema, _reference(responses.Message)]}
        content[errors.MEDIA_TYPE] = {"schema": schema, "examples": examples}
    if gateway_message:
        described.append(f"- API Gateway's own error: {gateway_message}.")
        examples = {"api-gateway": {"value": {"message": gateway_message}}}
        content[_JSON] = {"schema": _reference(responses.Message), "examples": examples}
    response: dict[str, Any] = {"description": "\n".join(described), "content": content}
    sent = [one.headers.keys() for one in EXAMPLES if one.kind in {kind.kind for kind in kinds}]
    if headers := sorted(set().union(*sent)):
        response["headers"] = {name: dict(RESPONSE_HEADERS[name]) for name in headers}
        for name in headers:
            if not all(name in one for one in sent):
                response["headers"][name].pop("required", None)
    return response
