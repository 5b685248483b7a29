"""The template as SAM reads it."""

import json
from functools import cache
from typing import Any

from samcli.commands._utils.template import get_template_data

from tests.shop import ROOT

EVENTS = ROOT / "events"

UNROUTED: dict[str, Any] = {
    "migrate.json": {"applied": []},
    "expire-orders.json": {"expired": 0, "swept": 0},
    "audit.json": {"violations": 0},
}
"""What the functions without a route answer on the sample data, among the rest."""


@cache
def template() -> dict[str, Any]:
    # Through JSON, for plain types in place of SAM's.
    plain: dict[str, Any] = json.loads(json.dumps(get_template_data(str(ROOT / "template.yaml"))))
    return plain


def resources(*types: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of some types, by logical id."""
    found = template()["Resources"].items()
    return {name: one.get("Properties", {}) for name, one in found if one["Type"] in types}


def functions() -> dict[str, dict[str, Any]]:
    """The functions' properties, by logical id; the one of the deployment, which is none of the shop's, left out."""
    return resources("AWS::Serverless::Function")


def http_events() -> list[dict[str, Any]]:
    """The properties of every event that is a route of the API."""
    events = [event for one in functions().values() for event in one.get("Events", {}).values()]
    return [event["Properties"] for event in events if event["Type"] == "HttpApi"]


def routes() -> dict[str, str]:
    """The function of each route key, such as "GET /api/products/{id}"; an event without a path is $default."""
    found = {}
    for name, properties in functions().items():
        for event in properties.get("Events", {}).values():
            if event["Type"] != "HttpApi":
                continue
            route = event["Properties"]
            found[f"{route['Method']} {route['Path']}" if "Path" in route else "$default"] = name
    return found


def folder_name(function: str) -> str:
    """The folder under functions/ of a function's code."""
    name: str = functions()[function]["CodeUri"].removeprefix("functions/")
    return name


def function_for(name: str, event: dict[str, Any]) -> str:
    """The function that a file under events/ is for: its route's, or the one that the file is named after."""
    if "routeKey" in event:
        return routes()[event["routeKey"]]
    return f"{name.removesuffix('.json').title().replace('-', '')}Function"
