"""Leaves out of the libraries' imports what no function needs, and every cold start would pay for."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


@contextmanager
def in_place_of(name: str, module: ModuleType | None) -> Iterator[None]:
    """Have a module found under a name meanwhile, and the real one as ever afterwards; None has its import refused."""
    imported = sys.modules.get(name)
    sys.modules[name] = module  # type: ignore[assignment]  # None is how an import is refused
    try:
        yield
    finally:
        del sys.modules[name]
        if imported is not None:
            sys.modules[name] = imported


def called_later(name: str, function: str) -> ModuleType:
    """A module with one function, which imports the real one when it is called."""

    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(name), function)(*arguments, **options)

    module = ModuleType(name)
    setattr(module, function, call)
    return module


def bare_package(name: str, folder: Path) -> ModuleType:
    """A package that imports none of its modules by itself."""
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    return package
