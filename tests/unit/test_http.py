"""How handlers read request headers."""

from storefront.cold_start.powertools import APIGatewayProxyEventV2
from storefront.http import header


def test_a_header_is_found_in_any_case_with_its_whole_value() -> None:
    event = APIGatewayProxyEventV2({"headers": {"If-Match": '"a", "b"', "accept": "*/*"}})
    assert header(event, "if-match") == '"a", "b"'
    assert header(event, "accept") == "*/*"
    assert header(event, "host") is None


def test_a_missing_header_is_none() -> None:
    assert header(APIGatewayProxyEventV2({"headers": None}), "host") is None
    assert header(APIGatewayProxyEventV2({}), "host") is None


def test_whitespace_around_a_value_is_not_part_of_it() -> None:
    event = APIGatewayProxyEventV2({"headers": {"if-match": ' \t"a"\t', "accept": " \xa0 ", "host": "  "}})
    assert header(event, "if-match") == '"a"'
    assert header(event, "accept") == "\xa0"
    assert header(event, "host") == ""
