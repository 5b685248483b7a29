"""Reads lists in the way that a client does."""

import re
from collections.abc import Iterator
from typing import Any

from tests.api_client import ApiClient, Response, expect, target

PRODUCTS = "/api/products"


def follow_cursors(api: ApiClient, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield every item of a list. Each page is requested with the cursor of the page before."""
    page = expect(200, api.get(target(path, **parameters)))
    yield from page["items"]
    while page["next_cursor"] is not None:
        page = expect(200, api.get(target(path, **parameters, cursor=page["next_cursor"])))
        assert page.keys() == {"items", "page_size", "next_cursor"}
        assert page["items"] != []
        yield from page["items"]


def links(response: Response) -> dict[str, str]:
    """The targets of the Link header (RFC 8288) by relation."""
    return {relation: url for url, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["link"])}


def product_names(api: ApiClient, **parameters: Any) -> set[str]:
    page = expect(200, api.get(target(PRODUCTS, **parameters)))
    assert page["total"] == len(page["items"])
    return {item["name"] for item in page["items"]}
