"""What the handlers see of a request's headers."""

from storefront.cold_start.powertools import APIGatewayProxyEventV2
from storefront.http import header


def test_a_header_is_found_in_any_case_and_whole() -> None:
    event = APIGatewayProxyEventV2({"headers": {"If-Match": '"a", "b"', "accept": "*/*"}})
    assert header(event, "if-match") == '"a", "b"'
    assert header(event, "accept") == "*/*"
    assert header(event, "host") is None


def test_an_event_without_headers_has_none() -> None:
    assert header(APIGatewayProxyEventV2({"headers": None}), "host") is None
    assert header(APIGatewayProxyEventV2({}), "host") is None
