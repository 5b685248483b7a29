"""The generated parts of docs/reference/, from the OpenAPI document.

A page is written by hand, except between `<!-- begin NAME: … -->` and `<!-- end NAME -->`.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openapi.fields import allowed_values, table_of_fields

Document = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "docs" / "reference"


def pages(document: Document) -> dict[Path, str]:
    """Return each page of the reference with its generated parts, by its path."""
    return {path: _with_parts(path.read_text(), document) for path in (FOLDER / "api.md", FOLDER / "problems.md")}


def _with_parts(page: str, document: Document) -> str:
    for name, part in PARTS.items():
        pattern = rf"(<!-- begin {name}: .*? -->\n).*?(<!-- end {name} -->\n)"
        text = f"\n{part(document)}\n\n"
        page = re.sub(pattern, lambda found, text=text: found[1] + text + found[2], page, flags=re.DOTALL)  # type: ignore[misc]
    return page


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(cells) for cells in [header, *rows]]
    rule = "|---" * len(header) + "|"
    return "\n".join([f"| {lines[0]} |", rule, *(f"| {line} |" for line in lines[1:])])


def _operations(document: Document) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _routes(document: Document) -> str:
    rows = []
    for route, operation in _operations(document):
        queries = [f"`{one['name']}`" for one in operation.get("parameters", []) if one["in"] == "query"]
        does = ": ".join(filter(None, [operation["summary"], ", ".join(queries)]))
        rows.append((f"`{route}`", does, _success(operation["responses"]), _needs(operation["security"])))
    return _table(("Route", "Does", "Success", "Needs"), rows)


def _success(responses: dict[str, Any]) -> str:
    found = {status: response for status, response in responses.items() if status < "400"}
    return "; ".join(
        ", ".join([status, *(f"`{name}`" for name in response.get("headers", {}) if status < "300")])
        for status, response in found.items()
    )


def _needs(security: list[dict[str, list[str]]]) -> str:
    if not security:
        return ""
    scopes = [f"`{scope}`" for one in security for scope in one.get("token", [])]
    # The second scope is that of a customer's token.
    return " or ".join(scopes) or "a signature"


def _parameters(document: Document) -> str:
    """Return a row for each meaning of a parameter. If it has several, each row names its routes."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for route, operation in _operations(document):
        for one in operation.get("parameters", []):
            if one["in"] == "query":
                values = allowed_values(one["schema"], document["components"]["schemas"])
                meanings = found.setdefault(one["name"], {})
                meanings.setdefault((values, one["description"]), []).append(f"`{route}`")
    rows = [
        (f"`{name}`" + (f" of {', '.join(routes)}" if len(meanings) > 1 else ""), *meaning)
        for name, meanings in found.items()
        for meaning, routes in meanings.items()
    ]
    return _table(("Parameter", "Values", "Meaning"), rows)


def _objects(document: Document) -> str:
    schemas = document["components"]["schemas"]
    sections = []
    for name, schema in schemas.items():
        if "properties" in schema:
            meaning = f"{schema['description']}\n\n" if "description" in schema else ""
            sections.append(f"### {name}\n\n{meaning}{table_of_fields(schema, schemas)}")
    return "\n\n".join(sections)


def _problems(document: Document) -> str:
    rows = [
        (f"[`/docs#{name}`](#{name})", str(one["status"]), one["description"])
        for one in document["x-problem-types"]
        for name in [one["type"].removeprefix("/docs#")]
    ]
    return _table(("`type`", "Status", "When"), rows)


def _problem_examples(document: Document) -> str:
    return "\n\n".join(
        f"### {one['type'].removeprefix('/docs#')}\n\n{one['description']}\n\n"
        f"```json\n{json.dumps(one['example'], indent=1, ensure_ascii=False)}\n```"
        for one in document["x-problem-types"]
    )


PARTS: dict[str, Callable[[Document], str]] = {
    "routes": _routes,
    "parameters": _parameters,
    "objects": _objects,
    "problems": _problems,
    "problem examples": _problem_examples,
}
