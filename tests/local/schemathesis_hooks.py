"""Hooks of schemathesis: facts about the API that are not in the OpenAPI document or the settings."""

import json
import os
import re
import time
import uuid
import zlib
from typing import Any

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.generation.meta import TestPhase

from local.signing import LOCAL_SECRETS, sign
from storefront.email_addresses import is_email_address

WEBHOOK = "/api/payment-webhook"
ORDERS = "/api/orders"
MAX_LENGTH = 255
"""Characters in a short text, such as a name."""
TOKEN = f"Bearer {os.environ.get('TOKEN')}"


class Credentials(AuthBase):
    """Add the staff's token, or to a payment event the signature of the sent bytes, in the scheme of its format."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(_signature(request.body) if request.path_url == WEBHOOK else {"Authorization": TOKEN})
        return request


schemathesis.auth.set_from_requests(Credentials())  # type: ignore[attr-defined]  # made at run time


@schemathesis.hook
def before_load_schema(_: HookContext, raw_schema: dict[str, Any]) -> None:
    """Send the body of a link unchanged, and not merged with another body."""
    operations = [operation for path in raw_schema["paths"].values() for operation in path.values()]
    responses = [response for operation in operations for response in operation["responses"].values()]
    for link in (link for response in responses for link in response.get("links", {}).values()):
        link["x-schemathesis"] = {"merge_body": False}


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
    """Apply the rules that JSON Schema cannot express, and those that would refuse most requests early."""
    if isinstance(case.query, dict):
        _fix_query(case.query)
    if _is_valid(case):
        for fields in (case.query, case.body):
            _fix_email(fields)
    if case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL:
        # A generated ETag is never the current one, and a used key returns what an earlier sequence deleted. So a
        # sequence could not continue with what it created.
        for name in ("If-Match", "Idempotency-Key"):
            case.headers.pop(name, None)
        # Nor with an order that is refused, as most orders with random charges are.
        if case.path == ORDERS and isinstance(case.body, dict):
            for name in ("charges", "expected_total", "reference"):
                case.body.pop(name, None)
    # Schemathesis treats a request with an invalid token as valid after it changed another header.
    if _is_valid(case):
        _fix_key(case)


@schemathesis.hook
def filter_failure(_: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Accept that the webhook acknowledges events that change nothing: unknown types, no order, and repetitions.

    Also accept that texts are trimmed before they are measured.
    """
    is_acknowledged = case.path == WEBHOOK and _json(response.content).get("outcome") in ("ignored", "duplicate")
    return not ((is_acknowledged or _fits_without_spaces(case.body)) and isinstance(failure, AcceptedNegativeData))


@schemathesis.check
def valid_requests_break_no_rule(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """A request that matches the document can be refused because of the data, but not because of its format."""
    if _is_valid(case):
        assert _json(response.content).get("type") not in ("/docs#invalid-request", "/docs#malformed-body")


def _is_valid(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _fits_without_spaces(body: Any) -> bool:
    # The API removes outer white space before it counts characters, which JSON Schema cannot express.
    texts = [value for value in body.values() if isinstance(value, str)] if isinstance(body, dict) else []
    return any(len(text) > MAX_LENGTH >= len(text.strip()) for text in texts)


def _fix_query(query: dict[str, Any]) -> None:
    # In a body, 1.0 is an integer. A query string is text, in which an integer has only digits.
    for name, value in query.items():
        if isinstance(value, float) and value.is_integer():
            query[name] = int(value)
    # A request has a page number or a cursor.
    if "page" in query:
        query.pop("cursor", None)
    # A search needs a word.
    text = query.get("q")
    if isinstance(text, str) and not re.search("[0-9A-Za-z]", text):
        query["q"] = "a" + text[1:]


def _fix_email(fields: Any) -> None:
    # The limits of an address are in octets, and a pattern counts characters.
    if isinstance(fields, dict) and isinstance(email := fields.get("email"), str) and not is_email_address(email):
        fields["email"] = "ada@example.com"


def _fix_key(case: Case[Any]) -> None:
    # An idempotency key is valid for one content.
    key = case.headers.get("Idempotency-Key")
    if key and len(key) < 200:
        content = zlib.crc32(repr((case.path_parameters, case.body)).encode(errors="replace"))
        case.headers["Idempotency-Key"] = f"{key[:-1]}{content:08x}{key[-1]}"


def _signature(body: Any) -> dict[str, str]:
    content = body if isinstance(body, bytes) else str(body or "").encode()
    scheme = _scheme(_json(content))
    return sign(scheme, LOCAL_SECRETS[scheme][:1], content, f"msg_{uuid.uuid4()}", int(time.time()))


def _scheme(event: dict[str, Any]) -> str:
    data = event.get("data")
    if event.get("type") is None or data is None:
        return "x_signature"
    # Some types are Stripe's and those of the other formats.
    return "stripe" if isinstance(data, dict) and "object" in data else "standard_webhooks"


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
