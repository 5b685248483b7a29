"""What the SAM template says, read by SAM CLI's own code."""

from dataclasses import dataclass
from pathlib import Path

from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.provider import Api, Function
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider


class TemplateError(Exception):
    """The template is missing or broken; the message is one sentence."""


@dataclass(frozen=True)
class Template:
    """A template's functions and its HTTP API."""

    functions: list[Function]
    api: Api


def read_template(path: Path) -> Template:
    """Read a SAM template. Raises TemplateError."""
    try:
        stacks, _ = SamLocalStackProvider.get_stacks(str(path))
        functions = list(SamFunctionProvider(stacks, ignore_code_extraction_warnings=True).get_all())
        api = ApiProvider(stacks).api
    except Exception as error:  # SAM CLI has no common base for what a broken template raises.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TemplateError(f"The template {path} cannot be used: {reason}") from error
    for function in functions:
        for folder in code_folders(function):
            if not folder.is_dir():
                raise TemplateError(f"The template {path} names a folder that does not exist: {folder}")
    return Template(functions, api)


def code_folders(function: Function) -> list[Path]:
    """List a function's import path: its own folder, then its layers'."""
    layers = [Path(layer.codeuri) for layer in function.layers if layer.codeuri]
    return [Path(function.codeuri), *map(_layer_folder, layers)]


def _layer_folder(content: Path) -> Path:
    # Lambda looks for Python code in a layer's folder python/, already there or made by the build.
    return content / "python" if (content / "python").is_dir() else content
