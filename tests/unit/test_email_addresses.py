"""E-mail addresses: the grammar, the limits, and a comparison with the library email-validator."""

import re

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from storefront.email_addresses import MAX_LOCAL_PART, PATTERN, is_email_address
from tests.characters import INVISIBLE

ACCEPTED = [
    "ada@example.com",
    "Ada.Lovelace@EXAMPLE.com",
    "ada+orders@example.com",
    "ada-b_c@sub.example.co.uk",
    "!#$%&'*+/=?^_`{|}~-@example.org",
    '"ada lovelace"@example.com',
    '"a@b"@example.com',
    r'"a\"b\\c"@example.com',
    '"a..b"@example.com',
    "1@1.example",
    "a@b--c.example",
    "ada@xn--bcher-kva.example",
    "ada@bücher.example",
    "ädä@bücher.example",
    "用户@例子.广告",
    "अजय@डाटा.भारत",
    "квіточка@пошта.укр",
    "می‌خواهم@example.com",
    "👍@example.com",
    "a❤\ufe0fb@example.com",
    f"{'a' * 64}@example.com",
    f"{'é' * 32}@example.com",
    f"ada@{'b' * 63}.example",
    f"{'a' * 64}@{'b' * 61}.{'c' * 61}.{'d' * 61}.org",
]
REFUSED = [
    "",
    "@",
    "ada",
    "ada@",
    "@example.com",
    "ada@example",
    "ada@@example.com",
    "ada@b@example.com",
    "ada lovelace@example.com",
    " ada@example.com",
    "ada@example.com ",
    "ada@example.com\n",
    "ada\r\nBcc: eve@example.org@example.com",
    "a\0da@example.com",
    "a\x7fda@example.com",
    "a\x85da@example.com",
    ".ada@example.com",
    "ada.@example.com",
    "a..da@example.com",
    "ada@example..com",
    "ada@.example.com",
    "ada@example.com.",
    "ada@-example.com",
    "ada@example-.com",
    "ada@exa_mple.com",
    "ada@exam ple.com",
    "ada@127.0.0.1",
    "ada@[127.0.0.1]",
    "ada@[IPv6:::1]",
    "Ada <ada@example.com>",
    "ada(comment)@example.com",
    '""@example.com',
    '"ada@example.com',
    'a"d"a@example.com',
    '"a"b@example.com',
    '"a\n"@example.com',
    "a,b@example.com",
    "mailto:ada@example.com",
    "ada@example。com",
    "ada＠example.com",
    "a\u200bda@example.com",
    "a\u202eda@example.com",
    "ada@ex\u00adample.com",
    "ada@ex\u3000ample.com",
    "a\u3164da@example.com",
    "\u115f\u1160@example.com",
    "ada@ex\uffa0ample.com",
    "a\u2800da@example.com",
    "ada\U000e0041\U000e007f@example.com",
    "ada@ex\U000e0100ample.com",
    "ada@\u200c.com",
    "ada@\u200d\u200c.com",
    "ada@example.\u200d",
    f"{'a' * 65}@example.com",
    f"{'é' * 33}@example.com",
    f"ada@{'b' * 64}.example",
    f"ada@{'漢' * 63}.example",
    f"{'a' * 64}@{'b' * 61}.{'c' * 61}.{'d' * 62}.org",
    f"a@{'b.' * 126}org",
]
REFUSED_BY_CATEGORY = [
    "\u200d@example.com",
    "ada@\u0301example.com",
    "ada@example.\u093eकॉम",
    "\u0301ada@example.com",
    "ada\ufdd0@example.com",
    "ada@ex\U0001fffeample.com",
    "ada\ue000@example.com",
    "ada\ud83d@example.com",
    "ada@\udc00.com",
    "\ud800" * 300,
    "ada@127.0.0.١",
    "ada@example.１２",
    "ada@example.²",
]
"""The pattern accepts most of them."""


@pytest.mark.parametrize("address", ACCEPTED)
def test_an_address_that_a_mail_server_accepts(address: str) -> None:
    assert is_email_address(address)
    assert re.search(PATTERN, address)


@pytest.mark.parametrize("address", REFUSED + REFUSED_BY_CATEGORY)
def test_an_address_that_a_mail_server_refuses(address: str) -> None:
    assert not is_email_address(address)


LABEL = st.text("ab1-éßü漢字日本भ🙂_", min_size=1, max_size=6)
NOT_COMPARED = INVISIBLE | {0x2800, 0x3002, 0xFF0E, 0xFF61}
DOMAIN = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
LOCAL_PART = st.text("abAB1+.-_'\"\\ @é漢\u0301\0\n", min_size=1, max_size=12)


@given(st.one_of(st.builds("{}@{}".format, LOCAL_PART, DOMAIN), st.sampled_from(ACCEPTED + REFUSED)))
@example("a@é.example")
def test_the_library_accepts_nothing_else(address: str) -> None:
    # Except a local part of 64 characters that are more octets, letters and symbols without an image, and other dots.
    is_long = len(address.rpartition("@")[0].encode()) > MAX_LOCAL_PART
    if library_accepts(address) and not is_long and not any(ord(one) in NOT_COMPARED for one in address):
        assert is_email_address(address)


ASCII_LABEL = st.text("abz09-", min_size=1, max_size=6)
ASCII_DOMAIN = st.lists(ASCII_LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))


@given(st.builds("{}@{}".format, st.text("abAB1+.-_'\"\\ @", min_size=1, max_size=8), ASCII_DOMAIN))
def test_the_library_accepts_the_same_ascii_addresses(address: str) -> None:
    # The library also refuses labels with -- in the third place, because it reads them as international ones.
    if not re.search(r"(^|[.@])..--", address):
        assert is_email_address(address) == library_accepts(address)


def library_accepts(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, allow_quoted_local=True, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def test_a_hostile_address_takes_no_time() -> None:
    # A pattern with nested repetitions would take years.
    for address in ("a" * 250 + "@", '"' + "\\\\" * 120, "a@" + "b-" * 120, "a@" + "b." * 120, "." * 250, "a." * 120):
        assert not is_email_address(address)
