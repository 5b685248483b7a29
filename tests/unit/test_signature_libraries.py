"""What the libraries of Stripe and of Standard Webhooks accept, and what we do: alike, but for what is explained."""

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
from tests.sizes import size

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
def _at_one_moment() -> Any:
    """Their clocks show the same as ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stripe._webhook.time", SimpleNamespace(time=lambda: NOW))
        patch.setattr("standardwebhooks.webhooks.datetime", FrozenTime)
        yield


def we_accept(headers: Headers, body: bytes, key: bytes) -> bool:
    try:
        return is_signed(claim_of(headers, body, NOW), key)
    except Unauthenticated:
        return False


def stripe_accepts(headers: Headers, body: bytes) -> bool:
    # Beside the refusals of its own, it raises what an odd header or body makes it stumble over.
    try:
        stripe.WebhookSignature.verify_header(body, headers.get("stripe-signature"), STRIPE, TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True


def standard_webhooks_accepts(headers: Headers, body: bytes) -> bool:
    try:
        standardwebhooks.Webhook(WHSEC).verify(body, dict(headers), json_parse=False)
    except (standardwebhooks.WebhookVerificationError, ValueError, TypeError):
        return False
    return True


def hex_of(text: str, body: bytes = BODY) -> str:
    return hmac.digest(STRIPE.encode(), text.encode() + body, hashlib.sha256).hex()


def base64_of(text: str, body: bytes = BODY) -> str:
    return base64.b64encode(hmac.digest(KEY, text.encode() + body, hashlib.sha256)).decode()


V1 = f"v1={hex_of(f'{NOW}.')}"
STRIPE_DIFFERS = {
    "it does not mind an event from the future": (f"t={NOW + 301},v1={hex_of(f'{NOW + 301}.')}", BODY),
    "it takes what Python takes for an integer": (f"t=1_700_000_000,{V1}", BODY),
    "and that with spaces around it": (f"t= {NOW} ,{V1}", BODY),
    "and in any script": (f"t={str(NOW).translate({48 + n: 0x660 + n for n in range(10)})},{V1}", BODY),
    "it signs the number and not its text": (f"t=0{NOW},{V1}", BODY),
    "it takes the first of two timestamps": (f"t={NOW},t=1,{V1}", BODY),
    "it takes one that is no item of its own beside": (f"t={NOW},{V1},", BODY),
    "and one of a form that no signature has": (f"t={NOW},{V1},v1=short", BODY),
    "it takes what comes after a second equals sign": (f"t={NOW},{V1}=", BODY),
    "it takes any number of signatures": (",".join([f"t={NOW}", *[V1] * 16]), BODY),
    "it refuses what is no UTF-8": (f"t={NOW},v1={hex_of(f'{NOW}.', NOT_UTF_8)}", NOT_UTF_8),
}


@pytest.mark.parametrize("why", STRIPE_DIFFERS)
def test_stripe_s_library_differs(why: str) -> None:
    header, body = STRIPE_DIFFERS[why]
    headers = {"stripe-signature": header}
    assert stripe_accepts(headers, body) == (body == BODY)
    assert we_accept(headers, body, STRIPE.encode()) == (body != BODY)


def of_standard_webhooks(*, id_: str = "msg_1", at: str = str(NOW), signature: str = "", body: bytes = BODY) -> Headers:
    signature = signature or f"v1,{base64_of(f'{id_}.{NOW}.', body)}"
    return {"webhook-id": id_, "webhook-timestamp": at, "webhook-signature": signature}


GOOD = of_standard_webhooks()["webhook-signature"]
STANDARD_WEBHOOKS_DIFFERS = {
    "it takes what Python takes for a number": (of_standard_webhooks(at="1.7e9"), BODY),
    "and leaves its fraction out": (of_standard_webhooks(at=f"{NOW}.9"), BODY),
    "and its spaces": (of_standard_webhooks(at=f" {NOW}"), BODY),
    "it takes an id with a dot": (of_standard_webhooks(id_="msg.1"), BODY),
    "and an id of any characters": (of_standard_webhooks(id_="möwe"), BODY),
    "and of any length": (of_standard_webhooks(id_="m" * 256), BODY),
    "its base64 leaves junk out": (of_standard_webhooks(signature=GOOD[:20] + "!" + GOOD[20:]), BODY),
    "and what comes after the padding": (of_standard_webhooks(signature=GOOD + "="), BODY),
    "it does not look at what follows the good one": (of_standard_webhooks(signature=f"{GOOD} v1,short"), BODY),
    "it takes versions of any name beside": (of_standard_webhooks(signature=f"V9,junk {GOOD}"), BODY),
    "it takes any number of signatures": (of_standard_webhooks(signature=" ".join([GOOD] * 17)), BODY),
    "it refuses what is no UTF-8": (of_standard_webhooks(body=NOT_UTF_8), NOT_UTF_8),
}


@pytest.mark.parametrize("why", STANDARD_WEBHOOKS_DIFFERS)
def test_the_library_of_standard_webhooks_differs(why: str) -> None:
    headers, body = STANDARD_WEBHOOKS_DIFFERS[why]
    assert standard_webhooks_accepts(headers, body) == (body == BODY)
    assert we_accept(headers, body, KEY) == (body != BODY)


def edited(text: str) -> st.SearchStrategy[str]:
    """The text with a few characters put in, taken out or exchanged."""
    edits = st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, 2), st.text(max_size=2)), max_size=3)

    def apply(chosen: list[tuple[int, int, str]]) -> str:
        changed = text
        for place, taken, put in chosen:
            changed = changed[:place] + put + changed[place + taken :]
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
@settings(max_examples=size(2_000, 50_000))
@given(headers=stripe_headers(), body=st.just(BODY) | st.just(NOT_UTF_8))
def test_stripe_s_library_and_we_accept_the_same_but_for_odd_forms(headers: Headers, body: bytes) -> None:
    ours, theirs = we_accept(headers, body, STRIPE.encode()), stripe_accepts(headers, body)
    if ours:
        assert theirs or body == NOT_UTF_8
    elif theirs:
        items = headers["stripe-signature"].split(",")
        assert f"t={NOW + 300}" < items[0] or not all_well_formed(items, STRIPE_ITEM)


@pytest.mark.long
@settings(max_examples=size(2_000, 50_000))
@given(headers=standard_webhooks_headers(), body=st.just(BODY) | st.just(NOT_UTF_8))
def test_the_library_of_standard_webhooks_and_we_accept_the_same_but_for_odd_forms(
    headers: Headers, body: bytes
) -> None:
    ours, theirs = we_accept(headers, body, KEY), standard_webhooks_accepts(headers, body)
    if ours:
        assert theirs or body == NOT_UTF_8
    elif theirs:
        signatures = headers["webhook-signature"].split(" ")
        assert not (headers["webhook-timestamp"].isdecimal() and all_well_formed(signatures, STANDARD_WEBHOOKS_ITEM))


def all_well_formed(items: list[str], form: str) -> bool:
    """Whether a header has nothing but items as senders make them: the libraries pass over others, we do not."""
    return all(re.fullmatch(form, item, re.ASCII) for item in items)
