"""Read the SAM template with SAM CLI's own code."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.provider import Api, Function
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

from storefront.routes import DEFAULT_ROUTE

_RATE = re.compile(r"rate\(([0-9]+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


class TemplateError(Exception):
    """The template is missing or invalid. The message is one sentence."""


@dataclass(frozen=True)
class Template:
    """A template's functions and HTTP API, and the parts of them that SAM CLI does not emulate.

    schedules: seconds between two runs, by function.
    scopes: by route key. A token needs one of them. None if the route needs no token.
    """

    functions: list[Function]
    api: Api
    schedules: dict[str, float]
    scopes: dict[str, frozenset[str] | None]


def read_template(path: Path) -> Template:
    """Read a SAM template. Raises TemplateError."""
    # SAM CLI warns about routes that its own emulator does not protect. This stack protects them.
    logging.getLogger("samcli.lib.providers.api_collector").setLevel(logging.ERROR)
    try:
        stacks, _ = SamLocalStackProvider.get_stacks(str(path))
        functions = list(SamFunctionProvider(stacks, ignore_code_extraction_warnings=True).get_all())
        api = ApiProvider(stacks).api
        schedules = _schedules(stacks[0].resources)
        scopes = _scopes(stacks[0].resources)
    except Exception as error:  # SAM CLI's exceptions for invalid templates have no common base.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TemplateError(f"The template {path} cannot be used: {reason}") from error
    for function in functions:
        for folder in code_folders(function):
            if not folder.is_dir():
                raise TemplateError(f"The template {path} names a folder that does not exist: {folder}")
    return Template(functions, api, schedules, scopes)


def _schedules(resources: dict[str, Any]) -> dict[str, float]:
    found = {}
    for name, event in _events(resources, "ScheduleV2"):
        rate = _RATE.fullmatch(event["ScheduleExpression"])
        if rate is None:
            raise ValueError(f"the schedule of {name} should be a rate, such as rate(5 minutes)")
        found[name] = int(rate[1]) * _SECONDS[rate[2]]
    return found


def _scopes(resources: dict[str, Any]) -> dict[str, frozenset[str] | None]:
    found: dict[str, frozenset[str] | None] = {}
    for _, event in _events(resources, "HttpApi"):
        auth = event["Auth"]
        # An event without a path belongs to the default route. SAM CLI may have added the path.
        path = event.get("Path", DEFAULT_ROUTE)
        route_key = DEFAULT_ROUTE if path == DEFAULT_ROUTE else f"{event['Method']} {path}"
        found[route_key] = None if auth["Authorizer"] == "NONE" else frozenset(auth["AuthorizationScopes"])
    return found


def _events(resources: dict[str, Any], type_: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the properties of each event of a type, with its function's name."""
    for name, resource in resources.items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == type_:
                yield name, event["Properties"]


def code_folders(function: Function) -> list[Path]:
    """List a function's import path: its own folder, then the folder python/ of its layers."""
    layers = [Path(layer.codeuri) / "python" for layer in function.layers if layer.codeuri]
    return [Path(function.codeuri), *layers]
