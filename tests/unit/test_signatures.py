"""Signatures in three schemes, checked with published vectors and with forged events."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.signing import LOCAL_SECRETS, SCHEMES, sign
from storefront.payments.signatures import (
    MAX_SIGNATURES,
    TOLERANCE,
    InvalidSignature,
    MissingSignature,
    Unauthenticated,
    claim_of,
    is_signed,
)
from tests.forged_events import EVENT_ID, SIGNATURE_HEADERS, forged_events
from tests.sizes import WEBHOOK_REQUESTS

NOW = 1_700_000_000
BODY = b'{"order_id": "1", "payment_status": "paid"}'
WHSEC, STRIPE_SECRET = LOCAL_SECRETS["standard_webhooks"][0], LOCAL_SECRETS["stripe"][0]
KEYS = {
    "x_signature": LOCAL_SECRETS["x_signature"][0].encode(),
    "standard_webhooks": base64.b64decode(WHSEC.removeprefix("whsec_")),
    "stripe": STRIPE_SECRET.encode(),
}
"""Each scheme's secret, as HMAC takes it."""

# Name, headers, body, timestamp, key.
# X-Signature: GitHub's documentation, Octokit's tests, and RFC 4231 (test case 6).
# Standard Webhooks: its libraries, and Svix's documentation (its key is too short for a secret here).
# Others: computed with another implementation, for Stripe with stripe-python.
VECTORS = [
    (
        "GitHub's documentation",
        {"x-signature": "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
        0,
        b"It's a Secret to Everybody",
    ),
    (
        "Octokit",
        {"x-signature": "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3"},
        b'{"foo":"bar"}',
        0,
        b"mysecret",
    ),
    (
        "Octokit, escaped",
        {"x-signature": "6f8326efbacfbd04e870cea25b5652e635be8c9807f2fd5348ef60753c9e96ed"},
        b'{"foo":"\\\\u001b"}',
        0,
        b"development",
    ),
    (
        "RFC 4231, a key longer than a block",
        {"x-signature": "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        0,
        b"\xaa" * 131,
    ),
    (
        "Standard Webhooks' libraries",
        {
            "webhook-id": EVENT_ID,
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        1614265330,
        base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ),
    (
        "Svix's documentation",
        {
            "webhook-id": "msg_loFOjxBNrRLzqYUf",
            "webhook-timestamp": "1731705121",
            "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        },
        b'{"event_type":"ping","data":{"success":true}}',
        1731705121,
        base64.b64decode("plJ3nmyCDGBKInavdOK15jsl"),
    ),
    (
        "Svix's documentation, with its names",
        {
            "svix-id": "msg_loFOjxBNrRLzqYUf",
            "svix-timestamp": "1731705121",
            "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        },
        b'{"event_type":"ping","data":{"success":true}}',
        1731705121,
        base64.b64decode("plJ3nmyCDGBKInavdOK15jsl"),
    ),
    (
        "Standard Webhooks, an empty body",
        {
            "webhook-id": EVENT_ID,
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=",
        },
        b"",
        1614265330,
        base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ),
    (
        "Stripe",
        {"stripe-signature": "t=1614265330,v1=10c96c6fd3f320fcfc264cdc4f476c15060ede8e8a08404cea2ddf3b72544a9c"},
        b'{"test": 2432232314}',
        1614265330,
        b"whsec_test_secret",
    ),
]


def verify(headers: Mapping[str, str], body: bytes, key: bytes, now: float = NOW) -> None:
    if not is_signed(claim_of(headers, body, now), key):
        raise InvalidSignature("signed with another secret")


def is_accepted(headers: Mapping[str, str], body: bytes, key: bytes) -> bool:
    try:
        verify(headers, body, key)
    except Unauthenticated:
        return False
    return True


def signed(scheme: str, body: bytes = BODY, *, at: int = NOW, event_id: str = EVENT_ID) -> dict[str, str]:
    """The headers of an authentic event."""
    return sign(scheme, LOCAL_SECRETS[scheme][:1], body, event_id, at)


@pytest.mark.parametrize(
    ("headers", "body", "now", "key"), [one[1:] for one in VECTORS], ids=[one[0] for one in VECTORS]
)
def test_published_vectors_are_accepted(headers: dict[str, str], body: bytes, now: int, key: bytes) -> None:
    verify(headers, body, key, now)
    with pytest.raises(InvalidSignature):
        verify(headers, body + b" ", key, now)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(
    body=st.binary(),
    event_id=st.from_regex(r"[a-zA-Z0-9_-]{1,255}", fullmatch=True),
    at=st.integers(-TOLERANCE, TOLERANCE),
)
def test_a_signed_event_is_accepted(scheme: str, body: bytes, event_id: str, at: int) -> None:
    claim = claim_of(signed(scheme, body, at=NOW + at, event_id=event_id), body, NOW)
    assert is_signed(claim, KEYS[scheme])
    assert (claim.scheme, claim.webhook_id) == (scheme, event_id if scheme == "standard_webhooks" else None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_header_names_are_case_insensitive(scheme: str) -> None:
    verify({name.title(): value for name, value in signed(scheme).items()}, BODY, KEYS[scheme])
    verify({name.upper(): value for name, value in signed(scheme).items()}, BODY, KEYS[scheme])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("around", [" {}", "{} ", "\t{}", " \t {}\t \t"])
def test_whitespace_around_a_value_is_not_part_of_it(scheme: str, around: str) -> None:
    headers = {name: around.format(value) for name, value in signed(scheme).items()}
    claim = claim_of(headers, BODY, NOW)
    assert is_signed(claim, KEYS[scheme])
    assert claim.webhook_id == (EVENT_ID if scheme == "standard_webhooks" else None)


@pytest.mark.parametrize("comma", [", ", " ,", "\t,  "])
def test_whitespace_around_the_commas_of_a_list_is_ignored(comma: str) -> None:
    # Proxies and HTTP libraries write lists with it.
    header = sign("stripe", LOCAL_SECRETS["stripe"], BODY, EVENT_ID, NOW)["stripe-signature"]
    verify({"stripe-signature": header.replace(",", comma)}, BODY, KEYS["stripe"])


def test_svix_names_are_accepted_if_no_webhook_name_is_sent() -> None:
    good = signed("standard_webhooks")
    renamed = {name.replace("webhook-", "Svix-"): value for name, value in good.items()}
    claim = claim_of(renamed, BODY, NOW)
    assert (claim.scheme, claim.webhook_id) == ("standard_webhooks", EVENT_ID)
    verify(renamed, BODY, KEYS["standard_webhooks"])
    # A sender can send both sets. Then only the webhook- names count.
    verify({**dict.fromkeys(renamed, "x"), **good}, BODY, KEYS["standard_webhooks"])


@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
@pytest.mark.parametrize("age", [0, 1, 299, 300, -299, -300])
def test_an_event_may_be_up_to_five_minutes_in_the_past_or_future(scheme: str, age: int) -> None:
    verify(signed(scheme, at=NOW - age), BODY, KEYS[scheme])


@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
@pytest.mark.parametrize("age", [301, 302, 86_400, 10**9, -301, -302, -86_400, -(10**9), 300.001, -300.001])
def test_an_event_over_five_minutes_in_the_past_or_future_is_refused(scheme: str, age: float) -> None:
    with pytest.raises(InvalidSignature):
        verify(signed(scheme), BODY, KEYS[scheme], NOW + age)


@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
@pytest.mark.parametrize("place", [0, 1, MAX_SIGNATURES - 2])
def test_one_valid_signature_of_several_is_enough(scheme: str, place: int) -> None:
    keys = ["whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in range(MAX_SIGNATURES - 1)]
    keys[place] = LOCAL_SECRETS[scheme][0]
    verify(sign(scheme, keys, BODY, EVENT_ID, NOW), BODY, KEYS[scheme])


def test_an_unknown_version_next_to_a_valid_signature_is_accepted() -> None:
    headers = signed("standard_webhooks")
    signatures = f"v1a,{base64.b64encode(bytes(64)).decode()} {headers['webhook-signature']}"
    verify({**headers, "webhook-signature": signatures}, BODY, KEYS["standard_webhooks"])
    verify({"stripe-signature": signed("stripe")["stripe-signature"] + ",v0=6ffbb59b"}, BODY, KEYS["stripe"])


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


@pytest.mark.parametrize("version", ["a", "s", "u", "v0", "v2", "z9"])
def test_a_version_is_compared_by_its_whole_name(version: str) -> None:
    standard_webhooks, stripe = signed("standard_webhooks"), signed("stripe")["stripe-signature"]
    signatures = f"{version},x {standard_webhooks['webhook-signature']}"
    verify({**standard_webhooks, "webhook-signature": signatures}, BODY, KEYS["standard_webhooks"])
    verify({"stripe-signature": f"{stripe},{version}=x"}, BODY, KEYS["stripe"])
    renamed = {**standard_webhooks, "webhook-signature": f"{version}{standard_webhooks['webhook-signature'][2:]}"}
    assert not is_accepted(renamed, BODY, KEYS["standard_webhooks"])
    assert not is_accepted({"stripe-signature": stripe.replace("v1", version)}, BODY, KEYS["stripe"])


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
