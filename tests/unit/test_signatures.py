"""Valid signatures in three schemes, checked with published vectors."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.signing import LOCAL_SECRETS, SCHEMES, sign
from storefront.payments.signatures import MAX_SIGNATURES, TOLERANCE, InvalidSignature, claim_of, is_signed
from tests.forged_events import EVENT_ID
from tests.unit.verification import BODY, KEYS, NOW, is_accepted, signed, verify

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


@pytest.mark.parametrize("version", ["a", "s", "u", "v0", "v2", "z9"])
def test_a_version_is_compared_by_its_whole_name(version: str) -> None:
    standard_webhooks, stripe = signed("standard_webhooks"), signed("stripe")["stripe-signature"]
    signatures = f"{version},x {standard_webhooks['webhook-signature']}"
    verify({**standard_webhooks, "webhook-signature": signatures}, BODY, KEYS["standard_webhooks"])
    verify({"stripe-signature": f"{stripe},{version}=x"}, BODY, KEYS["stripe"])
    renamed = {**standard_webhooks, "webhook-signature": f"{version}{standard_webhooks['webhook-signature'][2:]}"}
    assert not is_accepted(renamed, BODY, KEYS["standard_webhooks"])
    assert not is_accepted({"stripe-signature": stripe.replace("v1", version)}, BODY, KEYS["stripe"])
