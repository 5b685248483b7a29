"""What schemathesis is told of the API beside its document and its settings."""

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

from local.signing import LOCAL_SECRETS, sign
from storefront.payments.providers import STRIPE_TYPES

WEBHOOK = "/api/payment-webhook"
TOKEN = f"Bearer {os.environ.get('TOKEN')}"


class Credentials(AuthBase):
    """The shop's token; for an event its signature, over the bytes that are sent, in the scheme of its format."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(_signature(request.body) if request.path_url == WEBHOOK else {"Authorization": TOKEN})
        return request


schemathesis.auth.set_from_requests(Credentials())  # type: ignore[attr-defined]  # made at run time


@schemathesis.hook
def before_load_schema(_: HookContext, raw_schema: dict[str, Any]) -> None:
    """Send a link's body as it is, and not with fields and lines of another one in it."""
    operations = [operation for path in raw_schema["paths"].values() for operation in path.values()]
    responses = [response for operation in operations for response in operation["responses"].values()]
    for link in (link for response in responses for link in response.get("links", {}).values()):
        link["x-schemathesis"] = {"merge_body": False}


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
    """Keep the rules that JSON Schema cannot say, and those that would have most requests refused before the rest."""
    case.body = _without_fractions(case.body)
    if isinstance(case.query, dict):
        _mend_query(case.query)
    # Schemathesis takes a request for valid whose token is not, once another header of it was changed.
    if _is_valid(case):
        _mend_key(case)


@schemathesis.hook
def filter_failure(_: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Let the webhook acknowledge what is not for it: a type that is none of the document's breaks no rule."""
    is_acknowledged = case.path == WEBHOOK and _json(response.content).get("outcome") == "ignored"
    return not (is_acknowledged and isinstance(failure, AcceptedNegativeData))


@schemathesis.check
def valid_requests_break_no_rule(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """What fits the document may be refused for what the shop holds, and never for its form."""
    if _is_valid(case):
        assert _json(response.content).get("type") not in ("/docs#invalid-request", "/docs#malformed-body")


def _is_valid(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _without_fractions(value: Any) -> Any:
    # An integer is written without a fraction, were it .0.
    if isinstance(value, dict):
        return {name: _without_fractions(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_fractions(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _mend_query(query: dict[str, Any]) -> None:
    # A page is named by its number or by a cursor.
    if "page" in query:
        query.pop("cursor", None)
    # What is looked for has a letter or a digit.
    text = query.get("q")
    if isinstance(text, str) and not re.search(r"[^\W_]", text):
        query["q"] = "a" + text[1:]


def _mend_key(case: Case[Any]) -> None:
    # A key comes with one content alone.
    key = case.headers.get("Idempotency-Key")
    if key and len(key) < 200:
        content = zlib.crc32(repr((case.path_parameters, case.body)).encode(errors="replace"))
        case.headers["Idempotency-Key"] = f"{key[:-1]}{content:08x}{key[-1]}"


def _signature(body: Any) -> dict[str, str]:
    content = body if isinstance(body, bytes) else str(body or "").encode()
    scheme = _scheme(_json(content))
    return sign(scheme, LOCAL_SECRETS[scheme][:1], content, f"msg_{uuid.uuid4()}", int(time.time()))


def _scheme(event: dict[str, Any]) -> str:
    if event.get("type") is None or event.get("data") is None:
        return "x_signature"
    return "stripe" if event["type"] in list(STRIPE_TYPES) else "standard_webhooks"


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
