"""The API's description, and the page /docs that shows it.

The page is complete in itself. It contains Swagger UI from Powertools, and a paragraph for each kind of problem. The
`type` of a problem links to its paragraph.
"""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from string import Template
from typing import Any

from storefront.cold_start.powertools import SWAGGER_UI
from storefront.json_text import SEPARATORS, to_json

_HERE = Path(__file__).parent


def description() -> str:
    """Return the API's description, in OpenAPI 3.1."""
    text = to_json(_description())
    return f"{text}\n"


def page() -> str:
    """Return the page as HTML."""
    problems = map(_problem, _description()["x-problem-types"])
    return Template(_read("page.html")).substitute(style=_style(), script=_script(), problems="".join(problems))


def page_headers() -> dict[str, str]:
    """Return the page's headers. The page can only run its own scripts and call the API that served it."""
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src {_source(_script())}; style-src {_source(_style())}; img-src data:;"
            " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _description() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_read("openapi.json"))
    return document


def _style() -> str:
    return (SWAGGER_UI / "swagger-ui.min.css").read_text() + _read("page.css")


def _script() -> str:
    return (SWAGGER_UI / "swagger-ui-bundle.min.js").read_text() + _read("page.js")


def _problem(problem: dict[str, Any]) -> str:
    example = json.dumps(problem["example"], indent=2, ensure_ascii=False, separators=(",", SEPARATORS[1]))
    texts = {name: html.escape(str(text)) for name, text in {**problem, "example": example}.items()}
    texts["description"] = re.sub(r"`(.+?)`", r"<code>\1</code>", texts["description"])
    return Template(_read("problem.html")).substitute(texts, kind=texts["type"].partition("#")[2])


def _source(content: str) -> str:
    # https://www.w3.org/TR/CSP3/#grammardef-hash-source
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (_HERE / name).read_text()
