"""What schemathesis is told of this API: how a request is made authentic, and which refusals no schema foresees."""

import json
import os
import time
from typing import Any

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

from local.signing import LOCAL_SECRETS, sign
from storefront.fields import is_uuid

WEBHOOK = "/api/payment-webhook"

REFUSED_ALL_THE_SAME = {
    "bad-cursor",
    "idempotency-key-reused",
    "insufficient-stock",
    "invalid-transition",
    "number-out-of-range",
    "page-too-deep",
    "stale-etag",
    "total-too-large",
}
"""The problems that a well-formed request can meet: they are about what is stored, or about numbers taken together."""

UNSAID = {
    "page and cursor should not both be sent",
    "Input should have a word to look for",
    "An amount should have its currency",
    "Its type and its payment_status should say the same",
    "Its type and its data's payment_status should say the same",
}
"""The rules that a schema has no words for: about two fields, and about letters of every script."""


class Token(AuthBase):
    """The shop's own."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {os.environ['TOKEN']}"
        return request


class Signature(AuthBase):
    """Of the processor whose format the body has."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]  # never a stream
        scheme = scheme_of(content)
        request.headers.update(sign(scheme, LOCAL_SECRETS[scheme][:1], content, "msg_1", int(time.time())))
        return request


def scheme_of(body: bytes) -> str:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "data" not in event:
        return "x_signature"
    return "stripe" if "id" in event else "standard_webhooks"


schemathesis.auth.set_from_requests(Token()).skip_for(path=WEBHOOK)  # type: ignore[attr-defined]  # not in its types
schemathesis.auth.set_from_requests(Signature()).apply_to(path=WEBHOOK)  # type: ignore[attr-defined]  # likewise


@schemathesis.hook
def filter_case(_: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Whether it is to be sent: to JSON Schema 1.0 is an integer, to this API it is not."""
    return not has_integral_float(case.body)


def has_integral_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_integral_float, value.values()))
    if isinstance(value, list):
        return any(map(has_integral_float, value))
    return isinstance(value, float) and value.is_integer()


@schemathesis.hook
def filter_failure(
    _: schemathesis.HookContext, failure: Failure, case: schemathesis.Case[Any], response: schemathesis.Response
) -> bool:
    """Whether it is one."""
    if isinstance(failure, RejectedPositiveData):
        return not is_foreseen(case, response.json())
    if isinstance(failure, AcceptedNegativeData) and case.path == WEBHOOK:
        # What is not for the shop, or known already, is acknowledged whatever else is in it, and has no effect.
        return bool(response.json()["outcome"] == "applied")
    return True


def is_foreseen(case: schemathesis.Case[Any], problem: dict[str, Any]) -> bool:
    if "id" in case.path_parameters and not is_uuid(case.path_parameters["id"]):
        # A link that schemathesis made of a name: an order's payment_event_id is the processor's.
        return True
    details = {one["detail"] for one in problem.get("errors", [])}
    return problem["type"].removeprefix("/docs#") in REFUSED_ALL_THE_SAME or (bool(details) and details <= UNSAID)
