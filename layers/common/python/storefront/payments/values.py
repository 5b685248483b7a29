"""Reads the values of payment events. Most functions return None for a value that they cannot read.

Senders write the same fact in many forms. A form that is not read here can lose a payment, so these functions accept
every form that has only one meaning. docs/guides/payments.md lists the forms.
"""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

MAX_TEXT = 255
"""Characters of an ID or a type."""

MAX_DIGITS = 100
"""Digits of a number, before and after the decimal point. PostgreSQL stores more."""

_EXACT = Context(prec=MAX_DIGITS, Emin=-MAX_DIGITS, Emax=MAX_DIGITS - 1, traps=[Inexact, InvalidOperation])
# A double has 15 exact decimal digits (IEEE 754).
_DOUBLE = Context(prec=15)
_DOUBLE_PLACES = 6
_CENT = Decimal("0.01")

_DECIMAL_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Za-z]{3,10}")
# PostgreSQL cannot store these: NUL, and half of a UTF-16 pair, which JavaScript writes if it cuts an emoji in two.
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)? ?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {9: 1_000_000, 12: 1_000}
"""For the power of ten of a time in seconds or in milliseconds, from 2001 to 2286. Other numbers are more likely dates,
such as 20260131120000."""

_HEX_ID = "[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = re.compile(rf"(urn:uuid:)?({_HEX_ID}|\{{({_HEX_ID})\}})", re.IGNORECASE | re.ASCII)

_BOOLEANS: dict[str | Decimal | None, bool] = {"true": True, "false": False, Decimal(1): True, Decimal(0): False}


def parse_json(body: bytes) -> Any:
    """Return the JSON value in a body. A number that no function here reads becomes an infinity or NaN.

    Accepts a byte order mark, lone surrogates, and control characters in strings. A byte that is not UTF-8 becomes a
    lone surrogate. Raises ValueError.
    """
    try:
        # Not "replace": then two IDs that differ in such a byte would become the same ID.
        return _decoder.decode(body.decode("utf-8-sig", "surrogateescape"))
    except RecursionError:
        raise ValueError("Too many levels of nesting") from None


def _integer(digits: str) -> int | float:
    # Python refuses to convert thousands of digits.
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _fraction(digits: str) -> Decimal | float:
    try:
        return Decimal(digits)
    except ArithmeticError:
        return math.inf


_decoder = json.JSONDecoder(strict=False, parse_float=_fraction, parse_int=_integer)


def mapping(value: Any) -> dict[str, Any]:
    """Return a JSON object. Anything else counts as an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str | None:
    """Return a text of 1 to 255 characters without the whitespace around it, or the digits of a number."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    stripped = value.strip() if isinstance(value, str) else ""
    return stripped if 1 <= len(stripped) <= MAX_TEXT and not _NOT_STORABLE.search(stripped) else None


def uuid(value: Any) -> str | None:
    """Return a UUID in the form of RFC 9562, section 4, in lowercase. It can be a URN, in braces or without dashes."""
    if not isinstance(value, str) or not _UUID.fullmatch(value.strip()):
        return None
    digits = re.sub("[^0-9a-f]", "", value.strip().lower().removeprefix("urn:uuid:"))
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def boolean(value: Any) -> bool | None:
    """Return true or false, also if it is written as text or as 1 or 0."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    return _BOOLEANS.get(word, _BOOLEANS.get(_number(value)))


def amount(value: Any) -> Decimal | None:
    """Return an amount with at least two decimal places, and with all digits of the text or of the double."""
    number = _number(value)
    return None if number is None else _two_places(number)


def minor_units(value: Any, currency_places: int) -> Decimal | None:
    """Return an amount that was sent as a whole number of the currency's smallest unit."""
    number = _number(value)
    # A text with decimal places was probably meant in the main unit.
    is_decimal_text = isinstance(value, str) and "." in value
    if number is None or is_decimal_text or number != number.to_integral_value():
        return None
    return _two_places(number.scaleb(-currency_places, _EXACT))


def currency(value: Any) -> str | None:
    """Return the code of a currency in capitals."""
    code = value.strip() if isinstance(value, str) else ""
    return code.upper() if _CURRENCY.fullmatch(code) else None


def time(value: Any) -> datetime | None:
    """Return an RFC 3339 time, or a number of seconds or milliseconds since 1970, to the microsecond in UTC."""
    try:
        if isinstance(value, str) and (parts := _RFC_3339.fullmatch(value.strip())):
            date, clock, fraction, offset = parts.groups("")
            return datetime.fromisoformat(f"{date}T{clock}{fraction[:7]}{offset.upper()}").astimezone(UTC)
        number = _number(value)
        if number is None or number < 0 or number.adjusted() not in _MICROSECONDS:
            return None
        return _EPOCH + timedelta(microseconds=int(number * _MICROSECONDS[number.adjusted()]))
    except (ValueError, OverflowError):
        return None


def _number(value: Any) -> Decimal | None:
    """Return a JSON number, or plain digits in a text."""
    try:
        if isinstance(value, str) and _DECIMAL_TEXT.fullmatch(value.strip()):
            return _EXACT.normalize(Decimal(value.strip()))
        if isinstance(value, Decimal):
            # A processor that computes with doubles sends their rounding errors, such as 19.900000000000002.
            return _EXACT.normalize(_DOUBLE.plus(value) if _places(value) > _DOUBLE_PLACES else value)
        if isinstance(value, int) and not isinstance(value, bool):
            return _EXACT.normalize(Decimal(value))
    except ArithmeticError:
        pass
    return None


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _two_places(number: Decimal) -> Decimal:
    try:
        return _EXACT.quantize(number, _CENT)
    except ArithmeticError:
        # The amount is compared exactly, so further places are kept.
        return number
