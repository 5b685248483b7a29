"""Leaves out of the libraries' imports what no function needs, and every cold start would pay for."""

import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

# A start makes some 35,000 objects that stay; looking through them after each 2,000 takes a fifteenth of it.
gc.set_threshold(20_000)

Attributes = Mapping[str, Any]


@contextmanager
def replace_module(name: str, attributes: Attributes | None) -> Iterator[None]:
    """Have a module of these attributes found under a name meanwhile, and the real one as ever afterwards.

    attributes: None has the import refused.
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
    """A module's function, which is imported when it is called."""

    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(name), function)(*arguments, **options)

    return call


def bare_package(name: str, folder: Path, classes: Mapping[str, str]) -> Attributes:
    """A package that imports none of its modules by itself. classes: which module has each class that is asked for."""

    def find(attribute: str) -> Any:
        if attribute not in classes:
            raise AttributeError(attribute)
        return getattr(importlib.import_module(f"{name}.{classes[attribute]}"), attribute)

    return {"__path__": [str(folder)], "__getattr__": find}


def _module(name: str, attributes: Attributes) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(attributes)
    return module
