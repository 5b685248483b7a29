"""The modules of the console and its libraries, joined to one script.

One script is one invocation of the function that serves it. Each module becomes a function that returns what it
exports, so that its other names stay its own. Modules export only functions, classes and constants, and do not import
each other in a circle.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
TEXTS = "texts.json"

NODE_MODULES = HERE.parents[2] / "node_modules"
"""The libraries, which `npm ci` installs next to layers/common/package-lock.json."""

LIBRARIES = {"lit-html": "lit-html/lit-html.js", "oauth4webapi": "oauth4webapi/build/index.js"}
"""The file of each library that modules import."""

_IMPORT = re.compile(r'^import (\{ .+? \}|\* as \w+) from "(.+?)";\n', re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
# In a minified library: export{a as html,b as render};
_EXPORT_LIST = re.compile(r"\bexport\{([^}]*)\};?")
# For debuggers. The file that it names is not served.
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)


def joined(name: str) -> str:
    """Return a module with all that it imports, as one module that imports nothing."""
    modules: dict[str, str] = {}
    _add(name, modules)
    return "".join(modules.values())


def _add(name: str, modules: dict[str, str]) -> None:
    """Add a module after those that it imports."""
    if name in modules:
        return
    text = _source(name)
    for _, imported in _IMPORT.findall(text):
        _add(imported.removeprefix("./"), modules)
    exported = [exported for _, exported in _EXPORT.findall(text)]
    for listed in _EXPORT_LIST.findall(text):
        exported += [": ".join(reversed(one.split(" as "))) for one in listed.split(",")]
    body = _EXPORT.sub(r"\1", _IMPORT.sub(_as_constant, _EXPORT_LIST.sub("", text)))
    modules[name] = f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


def _source(name: str) -> str:
    if name in LIBRARIES:
        return _SOURCE_MAP.sub("", (NODE_MODULES / LIBRARIES[name]).read_text())
    text = (HERE / name).read_text()
    return f"export const TEXTS = {text.strip()};\n" if name == TEXTS else text


def _as_constant(statement: re.Match[str]) -> str:
    names, imported = statement.groups()
    # Renaming is written differently: import { a as b }, but const { a: b }.
    left = names.removeprefix("* as ").replace(" as ", ": ")
    return f"const {left} = {_variable(imported.removeprefix('./'))};\n"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)
