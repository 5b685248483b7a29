"""What the SAM template says, read by SAM CLI's own code."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.provider import Api, Function
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

_RATE = re.compile(r"rate\(([0-9]+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


class TemplateError(Exception):
    """The template is missing or broken; the message is one sentence."""


@dataclass(frozen=True)
class Template:
    """A template's functions, its HTTP API, and the seconds between two runs of each scheduled function."""

    functions: list[Function]
    api: Api
    schedules: dict[str, float]


def read_template(path: Path) -> Template:
    """Read a SAM template. Raises TemplateError."""
    try:
        stacks, _ = SamLocalStackProvider.get_stacks(str(path))
        functions = list(SamFunctionProvider(stacks, ignore_code_extraction_warnings=True).get_all())
        api = ApiProvider(stacks).api
        schedules = _schedules(stacks[0].resources)
    except Exception as error:  # SAM CLI has no common base for what a broken template raises.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TemplateError(f"The template {path} cannot be used: {reason}") from error
    for function in functions:
        for folder in code_folders(function):
            if not folder.is_dir():
                raise TemplateError(f"The template {path} names a folder that does not exist: {folder}")
    return Template(functions, api, schedules)


def _schedules(resources: dict[str, Any]) -> dict[str, float]:
    found = {}
    for name, resource in resources.items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "ScheduleV2":
                rate = _RATE.fullmatch(event["Properties"]["ScheduleExpression"])
                if rate is None:
                    raise ValueError(f"the schedule of {name} should be a rate, such as rate(5 minutes)")
                found[name] = int(rate[1]) * _SECONDS[rate[2]]
    return found


def code_folders(function: Function) -> list[Path]:
    """List a function's import path: its own folder, then its layers'."""
    layers = [Path(layer.codeuri) for layer in function.layers if layer.codeuri]
    return [Path(function.codeuri), *map(_layer_folder, layers)]


def _layer_folder(content: Path) -> Path:
    # Lambda looks for Python code in a layer's folder python/, already there or made by the build.
    return content / "python" if (content / "python").is_dir() else content
