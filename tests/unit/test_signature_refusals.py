"""Which headers and bodies have no valid signature, and what the refusal says."""

import base64
import hashlib
import hmac
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.signing import SCHEMES
from storefront.payments.signatures import InvalidSignature, MissingSignature, Unauthenticated, claim_of, is_signed
from tests.forged_events import EVENT_ID, SIGNATURE_HEADERS, forged_events
from tests.sizes import WEBHOOK_REQUESTS
from tests.unit.verification import BODY, KEYS, NOW, is_accepted, signed, verify


@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
@pytest.mark.parametrize("age", [301, 302, 86_400, 10**9, -301, -302, -86_400, -(10**9), 300.001, -300.001])
def test_an_event_over_five_minutes_in_the_past_or_future_is_refused(scheme: str, age: float) -> None:
    with pytest.raises(InvalidSignature):
        verify(signed(scheme), BODY, KEYS[scheme], NOW + age)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_empty_secret_is_never_accepted(scheme: str) -> None:
    before_the_body = {"x_signature": "", "standard_webhooks": f"{EVENT_ID}.{NOW}.", "stripe": f"{NOW}."}
    digest = hmac.digest(b"", before_the_body[scheme].encode() + BODY, hashlib.sha256)
    headers = {
        "x_signature": {"x-signature": digest.hex()},
        "standard_webhooks": {**signed(scheme), "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"},
        "stripe": {"stripe-signature": f"t={NOW},v1={digest.hex()}"},
    }
    with pytest.raises(InvalidSignature):
        verify(headers[scheme], BODY, b"")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("other", SCHEMES)
def test_a_secret_is_valid_only_in_its_own_scheme(scheme: str, other: str) -> None:
    assert is_signed(claim_of(signed(scheme), BODY, NOW), KEYS[other]) == (scheme == other)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_forgery_is_accepted(scheme: str) -> None:
    found = forged_events(scheme, BODY, NOW)
    assert len({forged_event.description for forged_event in found}) == len(found) >= 60
    assert [description for description, headers, body in found if is_accepted(headers, body, KEYS[scheme])] == []


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_required_header_is_a_missing_signature(missing: str) -> None:
    headers = {name: value for name, value in signed("standard_webhooks").items() if name != missing}
    with pytest.raises(MissingSignature):
        claim_of(headers, BODY, NOW)


def test_a_refusal_only_tells_a_missing_signature_from_an_invalid_one() -> None:
    details = set()
    for scheme in SCHEMES:
        for _, headers, body in forged_events(scheme, BODY, NOW):
            with pytest.raises(Unauthenticated) as refused:
                verify(headers, body, KEYS[scheme])
            details.add(refused.value.body())
    assert len(details) == 2


OLD, FUTURE = str(NOW - 301), str(NOW + 302)
CAUSES: list[tuple[dict[str, str], str]] = [
    ({}, "no header with a signature"),
    ({**signed("x_signature"), **signed("stripe")}, "headers of more than one scheme"),
    ({"x-signature": "A" * 64}, "the signature is not 64 lowercase hexadecimal digits"),
    ({**signed("standard_webhooks"), "webhook-id": ""}, "no webhook-id or no webhook-timestamp"),
    ({**signed("standard_webhooks"), "webhook-id": "a.b"}, "webhook-id is malformed"),
    ({**signed("standard_webhooks"), "webhook-timestamp": "1e9"}, "the timestamp is malformed"),
    ({**signed("standard_webhooks"), "webhook-timestamp": OLD}, "the timestamp is 301 s old"),
    ({**signed("standard_webhooks"), "webhook-timestamp": FUTURE}, "the timestamp is 302 s in the future"),
    ({**signed("standard_webhooks"), "webhook-signature": "v1"}, "the signature is malformed"),
    ({**signed("standard_webhooks"), "webhook-signature": "v1,a"}, "the signature is not the base64 of 32 bytes"),
    ({**signed("standard_webhooks"), "webhook-signature": "v2,a " * 17}, "too many signatures"),
    ({"stripe-signature": "v1=0"}, "Stripe-Signature should have one t"),
]


@pytest.mark.parametrize(("headers", "cause"), CAUSES)
def test_the_cause_of_a_refusal_is_logged_and_not_returned(headers: dict[str, str], cause: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        claim_of(headers, BODY, NOW)
    assert refused.value.cause == cause
    assert cause not in refused.value.body()


SVIX_HEADERS = ["svix-id", "svix-timestamp", "svix-signature"]
HEADER_NAMES = st.sampled_from(
    [*SIGNATURE_HEADERS.values(), "webhook-id", "webhook-timestamp", "Webhook-Id", *SVIX_HEADERS]
)
PIECES = st.sampled_from(
    [text for scheme in SCHEMES for text in signed(scheme).values()]
    + ["v1,", "v1=", "t=", ",", "=", ".", "١٢٣", "1e400", str(NOW), " ", "\ud800", "\0", "\n", "9" * 5_000]
)
HEADERS = st.dictionaries(HEADER_NAMES | st.text(), st.text() | st.lists(PIECES | st.text()).map("".join))


@pytest.mark.long
@settings(max_examples=WEBHOOK_REQUESTS.chosen)
@given(headers=HEADERS, body=st.binary() | st.just(BODY), now=st.just(NOW) | st.floats(0, 1e12))
def test_any_headers_and_body_are_either_accepted_or_refused(headers: dict[str, str], body: bytes, now: float) -> None:
    with suppress(Unauthenticated):
        claim = claim_of(headers, body, now)
        assert not is_signed(claim, b"a secret that signed none of it")
