"""The HTML pages that the functions serve."""

from html.parser import HTMLParser

from tests.api_client import Response

ONLY_OWN_FILES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""The directives of a page that consists of files of its own server."""


class Elements(HTMLParser):
    """The element IDs and the addresses in a page, and the text of its own scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.addresses: set[str] = set()
        self.contents: dict[str, str] = {}
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.ids.update(value or "" for name, value in attrs if name == "id")
        self.addresses.update(value or "" for name, value in attrs if name in ("src", "href", "action"))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  HTMLParser's signature
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style"):
            self.contents[self.inside] = self.contents.get(self.inside, "") + data


def directives(response: Response) -> dict[str, str]:
    """The directives of the page's Content-Security-Policy."""
    rules = response.headers["content-security-policy"].split(";")
    return {name: sources for name, _, sources in (rule.strip().partition(" ") for rule in rules)}
