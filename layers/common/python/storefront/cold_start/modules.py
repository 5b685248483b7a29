"""Stand-ins for modules that a library imports but no function uses."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

Attributes = Mapping[str, Any]


@contextmanager
def replace_module(name: str, attributes: Attributes | None) -> Iterator[None]:
    """Replace a module while the context is active. Afterwards, an import finds the real module again.

    attributes: what the replacement contains. None makes the import fail, as if the module were not installed.
    """
    imported = sys.modules.get(name)
    sys.modules[name] = None if attributes is None else _module(name, attributes)  # type: ignore[assignment]  # so it is
    try:
        yield
    finally:
        del sys.modules[name]
        if imported is not None:
            sys.modules[name] = imported


def import_on_first_use(name: str, function: str) -> Callable[..., Any]:
    """Return a function that imports its module when it is first called."""

    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(name), function)(*arguments, **options)

    return call


def bare_package(name: str, folder: Path, classes: Mapping[str, str]) -> Attributes:
    """Return a package that imports a submodule only when one of its classes is used.

    classes: the submodule of each class.
    """

    def find(attribute: str) -> Any:
        if attribute not in classes:
            raise AttributeError(attribute)
        return getattr(importlib.import_module(f"{name}.{classes[attribute]}"), attribute)

    return {"__path__": [str(folder)], "__getattr__": find}


def _module(name: str, attributes: Attributes) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(attributes)
    return module
