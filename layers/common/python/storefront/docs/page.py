"""The page /docs, which shows the API's description.

The page contains a paragraph for each kind of problem, to which the `type` of a problem links. It refers to one style
and one script, which contain Swagger UI from Powertools.
"""

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from storefront.cold_start.powertools import SWAGGER_UI
from storefront.json_text import SEPARATORS, to_json

_HERE = Path(__file__).parent


def headers(origins: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of a page that runs only the scripts of its own server, and calls only the API that served it.

    origins: others that it may call.
    """
    connections = " ".join(["'self'", *origins])
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src {connections};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def description() -> str:
    """Return the API's description, in OpenAPI 3.1."""
    return f"{to_json(_description())}\n"


def style() -> str:
    return (SWAGGER_UI / "swagger-ui.min.css").read_text() + _read("page.css")


def script() -> str:
    return (SWAGGER_UI / "swagger-ui-bundle.min.js").read_text() + _read("page.js")


def page(style_path: str, script_path: str) -> str:
    """Return the page as HTML, with the paths of its style and its script."""
    problems = map(_problem, _description()["x-problem-types"])
    return Template(_read("page.html")).substitute(style=style_path, script=script_path, problems="".join(problems))


def _description() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_read("openapi.json"))
    return document


def _problem(problem: dict[str, Any]) -> str:
    example = json.dumps(problem["example"], indent=2, ensure_ascii=False, separators=(",", SEPARATORS[1]))
    texts = {name: html.escape(str(text)) for name, text in {**problem, "example": example}.items()}
    texts["description"] = re.sub(r"`(.+?)`", r"<code>\1</code>", texts["description"])
    return Template(_read("problem.html")).substitute(texts, kind=texts["type"].partition("#")[2])


def _read(name: str) -> str:
    return (_HERE / name).read_text()
