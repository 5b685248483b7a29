"""The template as SAM reads it."""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from samcli.commands._utils.template import get_template_data

from storefront.routes import DEFAULT_ROUTE
from tests.api_client import ROOT

EVENTS = ROOT / "events"

ENVIRONMENTS = ("dev", "small", "prod")
"""The stacks that samconfig.toml configures."""

REGIONS = sorted(
    path.stem.removeprefix("rds-")
    for path in (ROOT / "layers/common/python/storefront/certificates").glob("rds-*-*-*.pem")
)
"""The regions whose databases the functions can verify."""

UNROUTED: dict[str, Any] = {
    "migrate.json": {"applied": []},
    "expire-orders.json": {"expired": 0, "swept": 0},
    "audit.json": {"violations": 0},
    "staff-scopes.json": {"version": "2"},
}
"""What the functions without a route return for the sample data. Other fields are not checked."""


@cache
def template() -> dict[str, Any]:
    # JSON turns SAM's types into plain ones.
    plain: dict[str, Any] = json.loads(json.dumps(get_template_data(str(ROOT / "template.yaml"))))
    return plain


def resources(*types: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of these types, by logical ID."""
    found = template()["Resources"].items()
    return {name: one.get("Properties", {}) for name, one in found if one["Type"] in types}


def given_settings(environment: str) -> dict[str, str]:
    """The parameters that samconfig.toml sets for an environment."""
    given = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    return dict(one.split("=", 1) for one in given["parameter_overrides"])


def settings_of(environment: str) -> dict[str, str]:
    """All parameters of an environment, and a region."""
    defaults = {name: str(parameter.get("Default")) for name, parameter in template()["Parameters"].items()}
    return {**defaults, **given_settings(environment), "AWS::Region": "us-east-1"}


def holds(condition: Any, settings: Mapping[str, str]) -> Any:
    """Evaluate a condition of the template, or of one of its rules."""
    if not isinstance(condition, dict):
        return condition
    [(function, given)] = condition.items()
    if function == "Ref":
        return settings[given]
    if function == "Condition":
        return holds(template()["Conditions"][given], settings)
    values = [holds(one, settings) for one in given]
    functions: dict[str, Callable[[], bool]] = {
        "Fn::Equals": lambda: str(values[0]) == str(values[1]),
        "Fn::Contains": lambda: values[1] in values[0],
        "Fn::Not": lambda: not values[0],
        "Fn::And": lambda: all(values),
        "Fn::Or": lambda: any(values),
    }
    return functions[function]()


def functions() -> dict[str, dict[str, Any]]:
    """The functions' properties, by logical ID, without those to which the Globals do not apply."""
    return resources("AWS::Serverless::Function")


def http_events() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The function, the route key (such as "GET /api/products/{id}") and the properties of each HTTP event."""
    for name, function in functions().items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                route = event["Properties"]
                # An event without a path is the default route.
                yield name, f"{route['Method']} {route['Path']}" if "Path" in route else DEFAULT_ROUTE, route


def routes() -> dict[str, str]:
    """The name of the function for each route key."""
    return {route_key: name for name, route_key, _ in http_events()}


def folder_name(function: str) -> str:
    """The folder of a function's code under functions/."""
    properties = resources("AWS::Serverless::Function", "AWS::Lambda::Function")[function]
    name: str = (properties.get("CodeUri") or properties["Code"]).removeprefix("functions/")
    return name


def function_for(name: str, event: dict[str, Any]) -> str:
    """The function for a file under events/: by its route, or else by the file's name."""
    if "routeKey" in event:
        return routes()[event["routeKey"]]
    return f"{name.removesuffix('.json').title().replace('-', '')}Function"
