"""X-Signature, with published vectors and what an attacker might send."""

import base64
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.payments.signatures import (
    InvalidSignature,
    MissingSignature,
    Unauthenticated,
    is_signed,
    sign,
    signature_of,
)

# Name, secret (base64), body, signature: GitHub's documentation, Octokit's tests, RFC 4231 test case 6.
VECTORS = [
    (
        "GitHub documentation",
        "SXQncyBhIFNlY3JldCB0byBFdmVyeWJvZHk=",
        b"Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
    (
        "Octokit",
        "bXlzZWNyZXQ=",
        b'{"foo":"bar"}',
        "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3",
    ),
    (
        "Octokit, escaped",
        "ZGV2ZWxvcG1lbnQ=",
        b'{"foo":"\\\\u001b"}',
        "6f8326efbacfbd04e870cea25b5652e635be8c9807f2fd5348ef60753c9e96ed",
    ),
    (
        "RFC 4231, a key longer than a block",
        base64.b64encode(b"\xaa" * 131).decode(),
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]
SECRET, BODY = b"secret", b"{}"
GOOD = sign(BODY, SECRET)


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[bytes]) -> None:
    if not is_signed(body, signature_of(headers), secrets):
        raise InvalidSignature


@pytest.mark.parametrize(
    ("secret", "body", "signature"), [vector[1:] for vector in VECTORS], ids=[v[0] for v in VECTORS]
)
def test_published_vectors_are_accepted(secret: str, body: bytes, signature: str) -> None:
    key = base64.b64decode(secret)
    assert sign(body, key) == signature
    verify({"x-signature": signature}, body, [key])


@pytest.mark.parametrize("secrets", [[SECRET], [b"old", SECRET], [SECRET, b"new"], [b"a", b"b", SECRET]])
def test_any_live_secret_will_do(secrets: list[bytes]) -> None:
    verify({"x-signature": GOOD}, BODY, secrets)


@pytest.mark.parametrize("headers", [{}, {"x-signature": ""}, {"signature": GOOD}])
def test_no_signature_is_missing(headers: Mapping[str, str]) -> None:
    with pytest.raises(MissingSignature):
        verify(headers, BODY, [SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        GOOD.upper(),
        f"{GOOD},{GOOD}",
        f"{GOOD} ",
        f" {GOOD}",
        f"{GOOD}\n",
        f"sha256={GOOD}",
        f"0x{GOOD}",
        GOOD[:-1],
        f"{GOOD}0",
        GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"),
        "é" * 64,
        "٣" * 64,
        "\0" * 64,
        "0" * 1_000_000,
        sign(BODY, b""),
        sign(BODY + b" ", SECRET),
        sign(BODY, SECRET + b" "),
    ],
)
def test_any_other_signature_is_invalid(signature: str) -> None:
    with pytest.raises(InvalidSignature):
        verify({"x-signature": signature}, BODY, [SECRET])


@pytest.mark.parametrize("secrets", [[], [b""]])
def test_without_a_secret_nothing_is_authentic(secrets: list[bytes]) -> None:
    with pytest.raises(InvalidSignature):
        verify({"x-signature": sign(BODY, b"")}, BODY, secrets)


@given(st.dictionaries(st.sampled_from(["x-signature", "X-Signature", "other"]), st.text()), st.binary())
def test_whatever_comes_is_refused_by_name(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        verify(headers, body, [SECRET])


@given(st.binary(), st.binary(min_size=1))
def test_what_was_signed_is_accepted(body: bytes, secret: bytes) -> None:
    verify({"x-signature": sign(body, secret)}, body, [b"another", secret])
