"""We accept the signatures that the libraries of Stripe and Standard Webhooks accept, with the differences listed."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from types import SimpleNamespace
from typing import Any

import pytest
import standardwebhooks
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.signing import LOCAL_SECRETS, sign
from storefront.payments.signatures import TOLERANCE, Unauthenticated, claim_of, is_signed
from tests.sizes import SIGNATURE_HEADERS

NOW = 1_700_000_000
BODY = b'{"order_id": "1"}'
NOT_UTF_8 = b"\xff" + BODY
STRIPE = LOCAL_SECRETS["stripe"][0]
WHSEC = LOCAL_SECRETS["standard_webhooks"][0]
KEY = base64.b64decode(WHSEC.removeprefix("whsec_"))

Headers = Mapping[str, str]


class FrozenTime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = UTC) -> "FrozenTime":
        return cls.fromtimestamp(NOW, tz)


@pytest.fixture(autouse=True, scope="module")
def _freeze_clocks() -> Any:
    """Set the libraries' clocks to NOW."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stripe._webhook.time", SimpleNamespace(time=lambda: NOW))
        patch.setattr("standardwebhooks.webhooks.datetime", FrozenTime)
        yield


def we_accept(headers: Headers, body: bytes, key: bytes) -> bool:
    try:
        return is_signed(claim_of(headers, body, NOW), key)
    except Unauthenticated:
        return False


def received(headers: Headers) -> dict[str, str]:
    """The headers without the whitespace that is not part of values and lists. The libraries do not remove it."""
    stripped = {name: value.strip(" \t") for name, value in headers.items()}
    if "stripe-signature" in stripped:
        stripped["stripe-signature"] = re.sub("[ \t]*,[ \t]*", ",", stripped["stripe-signature"])
    return stripped


def stripe_accepts(headers: Headers, body: bytes) -> bool:
    # An odd header or body makes the library raise ValueError or TypeError.
    try:
        stripe.WebhookSignature.verify_header(body, received(headers).get("stripe-signature"), STRIPE, TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True


def standard_webhooks_accepts(headers: Headers, body: bytes) -> bool:
    try:
        standardwebhooks.Webhook(WHSEC).verify(body, received(headers), json_parse=False)
    except (standardwebhooks.WebhookVerificationError, ValueError, TypeError):
        return False
    return True


def hex_of(text: str, body: bytes = BODY) -> str:
    return hmac.digest(STRIPE.encode(), text.encode() + body, hashlib.sha256).hex()


def base64_of(text: str, body: bytes = BODY) -> str:
    return base64.b64encode(hmac.digest(KEY, text.encode() + body, hashlib.sha256)).decode()


V1 = f"v1={hex_of(f'{NOW}.')}"
STRIPE_DIFFERS = {
    "Stripe accepts an event from the future": (f"t={NOW + 301},v1={hex_of(f'{NOW + 301}.')}", BODY),
    "Stripe accepts underscores in the timestamp": (f"t=1_700_000_000,{V1}", BODY),
    "Stripe accepts spaces around the timestamp": (f"t= {NOW} ,{V1}", BODY),
    "Stripe accepts Arabic digits": (f"t={str(NOW).translate({48 + n: 0x660 + n for n in range(10)})},{V1}", BODY),
    "Stripe drops a leading zero before it signs": (f"t=0{NOW},{V1}", BODY),
    "Stripe uses the first of two timestamps": (f"t={NOW},t=1,{V1}", BODY),
    "Stripe accepts an empty item": (f"t={NOW},{V1},", BODY),
    "Stripe accepts a malformed second signature": (f"t={NOW},{V1},v1=short", BODY),
    "Stripe ignores a second equals sign": (f"t={NOW},{V1}=", BODY),
    "Stripe accepts any number of signatures": (",".join([f"t={NOW}", *[V1] * 16]), BODY),
    "Stripe refuses a body that is not UTF-8": (f"t={NOW},v1={hex_of(f'{NOW}.', NOT_UTF_8)}", NOT_UTF_8),
}


@pytest.mark.parametrize("difference", STRIPE_DIFFERS)
def test_the_stripe_library_differs_as_listed(difference: str) -> None:
    header, body = STRIPE_DIFFERS[difference]
    headers = {"stripe-signature": header}
    assert stripe_accepts(headers, body) == (body == BODY)
    assert we_accept(headers, body, STRIPE.encode()) == (body != BODY)


def standard_webhooks_request(
    *, id_: str = "msg_1", at: str = str(NOW), signature: str = "", body: bytes = BODY
) -> Headers:
    signature = signature or f"v1,{base64_of(f'{id_}.{NOW}.', body)}"
    return {"webhook-id": id_, "webhook-timestamp": at, "webhook-signature": signature}


GOOD = standard_webhooks_request()["webhook-signature"]
STANDARD_WEBHOOKS_DIFFERS = {
    "Standard Webhooks accepts a timestamp with an exponent": (standard_webhooks_request(at="1.7e9"), BODY),
    "Standard Webhooks ignores the timestamp's fraction": (standard_webhooks_request(at=f"{NOW}.9"), BODY),
    "Standard Webhooks accepts an id with a dot": (standard_webhooks_request(id_="msg.1"), BODY),
    "Standard Webhooks accepts any characters in an id": (standard_webhooks_request(id_="möwe"), BODY),
    "Standard Webhooks accepts an id of any length": (standard_webhooks_request(id_="m" * 256), BODY),
    "Standard Webhooks ignores invalid base64 characters": (
        standard_webhooks_request(signature=GOOD[:20] + "!" + GOOD[20:]),
        BODY,
    ),
    "Standard Webhooks ignores text after the padding": (standard_webhooks_request(signature=GOOD + "="), BODY),
    "Standard Webhooks ignores what follows a valid signature": (
        standard_webhooks_request(signature=f"{GOOD} v1,short"),
        BODY,
    ),
    "Standard Webhooks accepts versions of any name": (standard_webhooks_request(signature=f"V9,junk {GOOD}"), BODY),
    "Standard Webhooks accepts any number of signatures": (
        standard_webhooks_request(signature=" ".join([GOOD] * 17)),
        BODY,
    ),
    "Standard Webhooks refuses a body that is not UTF-8": (standard_webhooks_request(body=NOT_UTF_8), NOT_UTF_8),
}


@pytest.mark.parametrize("difference", STANDARD_WEBHOOKS_DIFFERS)
def test_the_standard_webhooks_library_differs_as_listed(difference: str) -> None:
    headers, body = STANDARD_WEBHOOKS_DIFFERS[difference]
    assert standard_webhooks_accepts(headers, body) == (body == BODY)
    assert we_accept(headers, body, KEY) == (body != BODY)


def edited(text: str) -> st.SearchStrategy[str]:
    """The text with a few characters inserted, removed or replaced."""
    edits = st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, 2), st.text(max_size=2)), max_size=3)

    def apply(chosen: list[tuple[int, int, str]]) -> str:
        changed = text
        for place, removed, inserted in chosen:
            changed = changed[:place] + inserted + changed[place + removed :]
        return changed

    return edits.map(apply)


STRIPE_ITEM = r"t=[0-9]+|v1=[0-9a-f]{64}|(?!t=|v1=)[a-z][a-z0-9]*=[^=]+"
STANDARD_WEBHOOKS_ITEM = r"v1,[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=|(?!v1,)[a-z][a-z0-9]*,[^,]+"
AGES = st.sampled_from([0, 299, 300, 301, -299, -300, -301])


@st.composite
def stripe_headers(draw: Callable[..., Any]) -> Headers:
    secrets = draw(st.lists(st.sampled_from([STRIPE, "whsec_other"]), max_size=4))
    header = sign("stripe", secrets, BODY, "", NOW - draw(AGES))
    return {"stripe-signature": draw(st.just(header["stripe-signature"]) | edited(header["stripe-signature"]))}


@st.composite
def standard_webhooks_headers(draw: Callable[..., Any]) -> Headers:
    secrets = draw(st.lists(st.sampled_from([WHSEC, LOCAL_SECRETS["standard_webhooks"][1]]), max_size=4))
    good = sign("standard_webhooks", secrets, BODY, "msg_1", NOW - draw(AGES))
    which = draw(st.sampled_from([*good, ""]))
    return {name: draw(edited(text)) if name == which else text for name, text in good.items()}


@pytest.mark.long
@settings(max_examples=SIGNATURE_HEADERS.chosen)
@given(headers=stripe_headers(), body=st.just(BODY) | st.just(NOT_UTF_8))
def test_we_accept_the_well_formed_headers_that_the_stripe_library_accepts(headers: Headers, body: bytes) -> None:
    ours, theirs = we_accept(headers, body, STRIPE.encode()), stripe_accepts(headers, body)
    if ours:
        assert theirs or body == NOT_UTF_8
    elif theirs:
        items = received(headers)["stripe-signature"].split(",")
        assert f"t={NOW + 300}" < items[0] or not all_well_formed(items, STRIPE_ITEM)


@pytest.mark.long
@settings(max_examples=SIGNATURE_HEADERS.chosen)
@given(headers=standard_webhooks_headers(), body=st.just(BODY) | st.just(NOT_UTF_8))
def test_we_accept_the_well_formed_headers_that_the_standard_webhooks_library_accepts(
    headers: Headers, body: bytes
) -> None:
    ours, theirs = we_accept(headers, body, KEY), standard_webhooks_accepts(headers, body)
    if ours:
        assert theirs or body == NOT_UTF_8
    elif theirs:
        sent = received(headers)
        signatures = sent["webhook-signature"].split(" ")
        is_plain = re.fullmatch("[1-9][0-9]*", sent["webhook-timestamp"], re.ASCII)
        assert not (is_plain and all_well_formed(signatures, STANDARD_WEBHOOKS_ITEM))


def all_well_formed(items: list[str], form: str) -> bool:
    """Whether every item of a header is well-formed. The libraries skip malformed items, and we refuse them."""
    return all(re.fullmatch(form, item, re.ASCII) for item in items)
