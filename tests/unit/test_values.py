"""How single values of payment events are read: IDs, times, texts, booleans and bodies."""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.payments import values
from tests.sizes import EVENT_BODIES
from tests.unit.sent_values import sent, start_of

ORDER = "b0000000-0000-4000-8000-00000000abcd"
HEX = ORDER.replace("-", "")


@pytest.mark.parametrize(
    "written",
    [
        ORDER,
        ORDER.upper(),
        ORDER.title(),
        f"  {ORDER}",
        f"{ORDER}\n",
        f"\t{ORDER}\r\n",
        f"\xa0{ORDER} ",
        f"{{{ORDER}}}",
        f"{{{ORDER.upper()}}}",
        HEX,
        HEX.upper(),
        f"{{{HEX}}}",
        f"urn:uuid:{ORDER}",
        f"URN:UUID:{ORDER.upper()}",
        f" urn:uuid:{HEX}\n",
    ],
)
def test_a_uuid_is_read_in_every_common_form(written: str) -> None:
    assert values.uuid(written) == ORDER


@pytest.mark.parametrize(
    "written",
    [
        "",
        "7",
        7,
        None,
        True,
        [],
        {},
        ORDER[:-1],
        f"{ORDER}0",
        f"{{{ORDER}",
        f"{ORDER}}}",
        f"({ORDER})",
        f"'{ORDER}'",
        ORDER.replace("-", "_"),
        f"{HEX[:8]}-{HEX[8:]}",
        ORDER[:-1] + "g",
        ORDER[:-1] + "١",
        f"{ORDER}\0",
        f"{ORDER} {ORDER}",
        f"uuid:{ORDER}",
        f"order-{ORDER}",
    ],
)
def test_another_text_is_not_a_uuid(written: Any) -> None:
    assert values.uuid(written) is None


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ('"2026-01-31T12:00:00Z"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31t12:00:00z"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31 12:00:00Z"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('" 2026-01-31T12:00:00Z\\n"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31T13:00:00+01:00"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31T12:00:00+0000"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31 12:00:00 +0000"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"2026-01-31T12:00:00.5Z"', datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
        ('"2026-01-31T12:00:00.1234567Z"', datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)),
        ('"2026-01-31T12:00:00.123456999Z"', datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("1769860800", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("1769860800.25", datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("1769860800123", datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)),
        ('"1769860800"', datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('"1769860800123"', datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)),
        ("1000000000", datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
        ("9999999999", datetime(2286, 11, 20, 17, 46, 39, tzinfo=UTC)),
        ("1000000000000", datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
        ("9999999999999", datetime(2286, 11, 20, 17, 46, 39, 999_000, tzinfo=UTC)),
        # Without an offset, it could be any hour of the day.
        ('"2026-01-31T12:00:00"', None),
        ('"2026-01-31"', None),
        ('"20260131"', None),
        ("20260131", None),
        # Dates with a time of the day, in an unknown time zone.
        ('"20260131120000"', None),
        ("202601311200", None),
        ("999999999", None),
        ("10000000000", None),
        ("999999999999", None),
        ("10000000000000", None),
        ("17", None),
        ("-1769860800", None),
        ("1769860800123456789", None),
        ("1e99", None),
        ("NaN", None),
        ("true", None),
        ('"2026-02-30T12:00:00Z"', None),
        ('"2026-01-31T12:00:60Z"', None),
        ('"2026-01-31T12:00:00+99:99"', None),
        ('"0001-01-01T00:00:00+23:59"', None),
        ('"9999-12-31T23:59:59-23:59"', None),
        ('"Sat, 31 Jan 2026 12:00:00 GMT"', None),
        ('"yesterday"', None),
        ('""', None),
        ('"٢٠٢٦-01-31T12:00:00Z"', None),
        ("null", None),
        ("[]", None),
    ],
)
def test_a_time_is_read_if_it_is_one_moment(written: str, time: datetime | None) -> None:
    assert values.time(sent(written)) == time


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"evt_1"', "evt_1"),
        ('" evt_1\\n"', "evt_1"),
        ("7", "7"),
        ("-7", "-7"),
        ("7.50", "7.50"),
        (f'"{"e" * 255}"', "e" * 255),
        ('"\\ud83d\\ude00"', "😀"),
        (f'"{"e" * 256}"', None),
        ('""', None),
        ('" \\t"', None),
        ('"e\\u0000"', None),
        ('"\\ud83d"', None),
        ('"\\ude00\\ud83d"', None),
        ("9" * 101, None),
        ("NaN", None),
        ("true", None),
        ("null", None),
        ("[]", None),
    ],
    ids=start_of,
)
def test_a_text_can_be_stored(written: str, text: str | None) -> None:
    assert values.text(sent(written)) == text


@pytest.mark.parametrize(
    ("written", "boolean"),
    [
        ("true", True),
        ('"True"', True),
        ('" true "', True),
        ("1", True),
        ('"1"', True),
        ("false", False),
        ('"FALSE"', False),
        ("0", False),
        ('"0"', False),
        ("1.0", True),
        ("0.0", False),
        ('"no"', None),
        ('""', None),
        ("2", None),
        ("NaN", None),
        ("null", None),
        ("[]", None),
    ],
)
def test_a_boolean_may_be_text_or_a_digit(written: str, boolean: bool | None) -> None:  # noqa: FBT001  a parameter
    assert values.boolean(sent(written)) is boolean


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\xff"}', {"a": "\udcff"}),
        (b'{"a": "\xed\xa0\xbd"}', {"a": "\udced\udca0\udcbd"}),
        (b'{"a": "\\ud83d"}', {"a": "\ud83d"}),
        (b'{"a": "line\nbreak\x00"}', {"a": "line\nbreak\0"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b" 7 \n", 7),
        (b"0.10", Decimal("0.10")),
        (b"-Infinity", -math.inf),
        (b"9" * 5000, math.inf),
    ],
    ids=start_of,
)
def test_a_body_is_read_if_its_values_are_clear(body: bytes, value: Any) -> None:
    assert values.parse_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"a=1&b=2",
        b"\xff\xfe{\0}\0",
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'"\\x"',
    ],
    ids=start_of,
)
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        values.parse_json(body)
    assert len(str(refused.value)) < 100


READERS = [values.text, values.uuid, values.boolean, values.amount, values.currency, values.time, values.mapping]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals().map(str),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@pytest.mark.long
@settings(max_examples=EVENT_BODIES.chosen)
@given(body=ANY.map(lambda value: json.dumps(value).encode()) | st.from_regex(rb"-?[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?"))
def test_any_value_is_read_or_not_without_an_error(body: bytes) -> None:
    try:
        value = values.parse_json(body)
    except ValueError:
        return
    for read in READERS:
        read(value)
    values.minor_units(value, 2)
