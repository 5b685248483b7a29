"""A page of a list: the rows from read_page.sql, the fields around them, and the Link header."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from storefront import settings
from storefront.cold_start.powertools import APIGatewayProxyEventV2, Response
from storefront.http import json_response
from storefront.json_text import to_json
from storefront.lists import cursor
from storefront.lists.parameters import CursorParameters, PageParameters

MAX_LINK_BYTES = 3500
"""By default, nginx refuses a response whose headers together are longer than 4 KB. The rest is for the other headers.
https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size"""


def list_response(
    event: APIGatewayProxyEventV2, parameters: CursorParameters, read: Callable[[dict[str, Any]], str]
) -> Response[str]:
    """Return the response with a page. Raises BadCursor, PageTooLarge and what read raises.

    read: calls the SQL function of the list with a request, and returns the result of read_page.sql.
    """
    key, bound_to = settings.cursor_key(), json.dumps([event.raw_path.lower(), parameters.filters()])
    request = parameters.model_dump(mode="json", exclude={"cursor"})
    if parameters.cursor is not None:
        request["after"] = cursor.decode(key, bound_to, parameters.cursor)
    head, _, items = read(request).partition("\n")
    page_info = json.loads(head)
    next_cursor = cursor.encode(key, bound_to, page_info["next"]) if page_info["next"] else None

    numbers: dict[str, Any] = {"page_size": parameters.page_size}
    links = {"next": f"cursor={next_cursor}"} if next_cursor else {}
    if isinstance(parameters, PageParameters) and parameters.cursor is None:
        total_pages = -(-page_info["total"] // parameters.page_size)
        numbers = {"total": page_info["total"], "page": parameters.page, **numbers, "total_pages": total_pages}
        if page_info["total_is_estimate"]:
            numbers["total_is_estimate"] = True
        # Where the page was cut, only the cursor leads to what was not reached.
        has_next_page = next_cursor is not None and not page_info["is_cut"]
        links = {**links, **_page_links(parameters, numbers, has_next=has_next_page)}
    # The items stay the text from PostgreSQL.
    envelope = to_json({**numbers, "next_cursor": next_cursor})
    response = json_response(f'{{"items" : {items}, {envelope[1:]}')
    if link := _link_header(event, {"first": "", **links}):
        response.headers["Link"] = link
    return response


def _page_links(parameters: PageParameters, numbers: dict[str, Any], *, has_next: bool) -> dict[str, str]:
    page, last = parameters.page, numbers["total_pages"]
    links: dict[str, str] = {}
    if page > 1:
        links["prev"] = f"page={max(1, min(page - 1, last))}"
    if has_next and parameters.reaches(page + 1):
        links["next"] = f"page={page + 1}"
    if last > 0 and parameters.reaches(last) and "total_is_estimate" not in numbers:
        links["last"] = f"page={last}"
    return links


def _link_header(event: APIGatewayProxyEventV2, links: dict[str, str]) -> str:
    """Return the links that fit into the header. Empty if not even the first one fits."""
    # RFC 8288, section 3: targets can be relative to the request's URL.
    sent = event.query_string_parameters.items()
    filters = urlencode([(name, value) for name, value in sent if name not in ("page", "cursor")])
    header = ""
    # Each link repeats the filters. The most useful ones come first: a header without "next" means the last page.
    for relation in ("next", "prev", "first", "last"):
        if relation in links:
            query = "&".join(filter(None, (filters, links[relation])))
            link = f'<{event.raw_path}{"?" if query else ""}{query}>; rel="{relation}"'
            if len(header) + len(", ") + len(link) > MAX_LINK_BYTES:
                break
            header = f"{header}, {link}" if header else link
    return header
