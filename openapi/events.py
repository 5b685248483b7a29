"""The example events in events/: one per example request, and one per function without a route.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.signing import LOCAL_SECRETS, sign
from openapi.operation import Example, Operation
from openapi.operations import OPERATIONS
from storefront.access import COGNITO_PREFIX
from storefront.routes import DEFAULT_ROUTE, ORDERS_ALL, ROUTES, Access, path_parameters

FOLDER = Path(__file__).parent.parent / "events"

_ADDRESS, _CLIENT = "127.0.0.1:3000", "curl/8.5.0"


def files() -> dict[Path, str]:
    """Return the content of each file in events/, by its path."""
    events: dict[str, dict[str, Any]] = {
        "migrate": {},
        "expire-orders": _scheduled("EveryFewMinutes"),
        "audit": _scheduled("EveryHour"),
        "staff-scopes": _sign_in(),
        "unknown-route": _event(DEFAULT_ROUTE, "GET", "/api/nothing-here", Example()),
        # The name of a file has a hash. This one does not exist, as after a change of the file.
        "get-docs-file": _event("GET /docs/{file}", "GET", "/docs/0000000000000000.css", Example()),
        "get-console-file": _event("GET /console/{file}", "GET", "/console/0000000000000000.css", Example()),
    }
    for (method, path), operation in OPERATIONS.items():
        for name, example in operation.all_examples().items():
            events[name] = _request(method, path, operation, example)
    return {FOLDER / f"{name}.json": json.dumps(event, indent=2) + "\n" for name, event in events.items()}


def _request(method: str, path: str, operation: Operation, example: Example) -> dict[str, Any]:
    id_ = example.id or operation.path_id
    values = {name: operation.path_kind if name == "kind" else id_ for name in path_parameters(path)}
    event = _event(f"{method} {path}", method, path.format(**values), example)
    if ROUTES[path][method] is Access.SIGNATURE:
        event["headers"] |= sign("x_signature", LOCAL_SECRETS["x_signature"], event["body"].encode(), "", 0)
    if values:
        event["pathParameters"] = values
    return event


def _event(route: str, method: str, path: str, example: Example) -> dict[str, Any]:
    body = None if example.body is None else json.dumps(example.body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": urlencode(example.query),
        "headers": {"accept": "*/*", "host": _ADDRESS, "user-agent": _CLIENT},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": _ADDRESS,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": _CLIENT,
            },
            "requestId": "00000000-0000-4000-8000-000000000000",
            "routeKey": route,
            "stage": "$default",
            "time": "23/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795435200000,
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        event["headers"] |= {"content-type": "application/json", "content-length": str(len(body.encode()))}
        event["body"] = body
    event["headers"] |= example.headers
    if example.query:
        event["queryStringParameters"] = example.query
    return event


def _scheduled(schedule: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "d9f2a1c0-4b7e-4c0d-9a53-1f0e6c2b7a11",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2026-11-23T12:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:scheduler:us-east-1:123456789012:schedule/default/storefront-{schedule}"],
        "detail": "{}",
    }


def _sign_in() -> dict[str, Any]:
    """Return the event of Cognito before it issues a token to a user, in version 2.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
    """
    console = [one.value for one in (Access.CATALOG_WRITE, Access.ORDERS_READ, Access.ORDERS_MANAGE)]
    return {
        "version": "2",
        "triggerSource": "TokenGeneration_HostedAuth",
        "region": "us-east-1",
        "userPoolId": "us-east-1_EXAMPLE12",
        "userName": "maria",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
        "request": {
            "userAttributes": {
                "sub": "0d4e8a52-6c1f-4b9e-9f3a-2b7c5d8e1a60",
                "cognito:user_status": "CONFIRMED",
                "email_verified": "true",
                "email": "maria@shop.example",
            },
            "groupConfiguration": {"groupsToOverride": ["orders"], "iamRolesToOverride": [], "preferredRole": None},
            "scopes": ["openid", *(f"{COGNITO_PREFIX}{scope}" for scope in (*console, ORDERS_ALL))],
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }
