"""The reference's table of routes, from the OpenAPI document."""

from typing import Any

BEGIN, END = "<!-- The routes, written by `make openapi`. -->\n", "<!-- The end of the routes. -->\n"


def with_routes(page: str, document: dict[str, Any]) -> str:
    """The page with the document's routes between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [
        _row(f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    table = "\n".join(["| Route | Does | Success | Needs |", "|---|---|---|---|", *rows])
    return f"{before}{BEGIN}\n{table}\n\n{END}{after}"


def _row(route: str, operation: dict[str, Any]) -> str:
    parameters = [f"`{one['name']}`" for one in operation.get("parameters", []) if one["in"] == "query"]
    does = ": ".join(filter(None, [operation["summary"], ", ".join(parameters)]))
    return f"| `{route}` | {does} | {_success(operation['responses'])} | {_needs(operation['security'])} |"


def _success(responses: dict[str, Any]) -> str:
    found = {status: response for status, response in responses.items() if status < "400"}
    return "; ".join(
        ", ".join([status, *(f"`{name}`" for name in response.get("headers", {}) if status < "300")])
        for status, response in found.items()
    )


def _needs(security: list[dict[str, list[str]]]) -> str:
    if not security:
        return ""
    scopes = security[0].get("token")
    return f"`{scopes[0]}`" if scopes else "a signature"
