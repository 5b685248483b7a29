"""How the amounts and the currencies of payment events are read."""

import pytest

from storefront.payments import values
from tests.unit.sent_values import sent, start_of


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ('"0"', "0.00"),
        ('"0.00"', "0.00"),
        ('"-0.00"', "-0.00"),
        ('"19.9"', "19.90"),
        ('"19.900"', "19.90"),
        ('"19.90000000"', "19.90"),
        (f'"19.9{"0" * 5000}"', "19.90"),
        ('" 19.90\\n"', "19.90"),
        ('"0019.90"', "19.90"),
        ('"19.901"', "19.901"),
        ('"0.000001"', "0.000001"),
        ('"0.0000001"', "1E-7"),
        ('"999999999999"', "999999999999.00"),
        (f'"{"9" * 100}"', "9" * 100),
        (f'"0.{"3" * 100}"', f"0.{'3' * 100}"),
        ('"-0.01"', "-0.01"),
        ("19.9", "19.90"),
        ("19.90000000", "19.90"),
        ("1.99e1", "19.90"),
        ("1990E-2", "19.90"),
        ("1e2", "100.00"),
        ("19", "19.00"),
        ("-1", "-1.00"),
        ("0.1", "0.10"),
        # Amounts that a processor computed with doubles.
        ("36.300000000000004", "36.30"),
        ("19.900000000000002", "19.90"),
        ("0.30000000000000004", "0.30"),
        ("36.301", "36.301"),
        ("0.1234567", "0.1234567"),
        ("1234567.1234567891", "1234567.12345679"),
        ("12345678901.123456", "12345678901.123456"),
        ("123456789.1234567", "123456789.123457"),
        ("999999999999.9998", "999999999999.9998"),
    ],
    ids=start_of,
)
def test_an_amount_keeps_all_its_digits(written: str, amount: str) -> None:
    assert str(values.amount(sent(written))) == amount


@pytest.mark.parametrize(
    "written",
    [
        '""',
        '"1e2"',
        '"1,5"',
        '"1,234.50"',
        '"1 000"',
        '"1."',
        '".5"',
        '"+1"',
        '"$1"',
        '"19.90 USD"',
        '"1_0"',
        '"NaN"',
        '"١"',
        '"1\\u0000"',
        f'"{"9" * 101}"',
        f'"0.{"3" * 101}"',
        "9" * 101,
        "9" * 5000,
        f"{'9' * 1_000_010}.00000001",
        "1e100",
        "1e400",
        "1e-400",
        "1e999999999999999999",
        "1e99999999999999999999",
        "-1e-99999999999999999999",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "[]",
        "{}",
        "null",
    ],
    ids=start_of,
)
def test_an_amount_with_more_than_one_meaning_is_not_read(written: str) -> None:
    assert values.amount(sent(written)) is None


@pytest.mark.parametrize(
    ("units", "places", "amount"),
    [
        ("1990", 2, "19.90"),
        ('"1990"', 2, "19.90"),
        ('" 1990 "', 2, "19.90"),
        ("1990.0", 2, "19.90"),
        ("1.99e3", 2, "19.90"),
        ("0", 2, "0.00"),
        ("-1", 2, "-0.01"),
        ("1990", 0, "1990.00"),
        ("1990", 3, "1.99"),
        ("1995", 3, "1.995"),
        ("1" + "0" * 17, 2, "1" + "0" * 15 + ".00"),
        ("19.9", 2, None),
        ("19.4", 2, None),
        ("-19.4", 2, None),
        ('"19.90"', 2, None),
        ('"1990.00"', 2, None),
        ("true", 2, None),
        ("NaN", 2, None),
        ("1e100", 2, None),
        ("null", 2, None),
    ],
)
def test_minor_units_are_whole_numbers(units: str, places: int, amount: str | None) -> None:
    assert str(values.minor_units(sent(units), places)) == str(amount)


@pytest.mark.parametrize(
    ("written", "currency"),
    [
        ('"usd"', "USD"),
        ('"Usd"', "USD"),
        ('" EUR\\n"', "EUR"),
        ('"usdt"', "USDT"),
        ('"US"', None),
        ('"US$"', None),
        ('"€"', None),
        ('"ÜSD"', None),
        ('"ﬁﬁ"', None),
        ('"USDUSDUSDUSD"', None),
        ('""', None),
        ("840", None),
        ("null", None),
        ("[]", None),
    ],
)
def test_a_currency_is_read_in_any_case(written: str, currency: str | None) -> None:
    assert values.currency(sent(written)) == currency
