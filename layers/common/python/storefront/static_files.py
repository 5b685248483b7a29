"""The static files of the documentation and of the console, compressed once.

`sam build` writes them into the layer with `python -m storefront.static_files FOLDER`. Where they are not built, such
as on a laptop, they are compressed when the function starts.
"""

import base64
import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from storefront.console import page as console
from storefront.docs import page as docs

BUILT = Path(__file__).with_name("built")
"""The folder of the built files, in the layer of a deployment."""

_INDEX = "index.json"
_HTML = "text/html; charset=utf-8"
_CSS = "text/css; charset=utf-8"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_JSON = "application/json"


class StaticFile(NamedTuple):
    """A file of a page.

    compressed: the gzip file, in base64, as Lambda returns it.
    etag: the SHA-256 of the content, in hex.
    is_immutable: whether its path changes with its content.
    """

    media_type: str
    compressed: str
    etag: str
    is_immutable: bool

    def text(self) -> str:
        """Return the content, for a client that does not accept gzip."""
        return gzip.decompress(base64.b64decode(self.compressed)).decode()


def load() -> dict[str, StaticFile]:
    """Return the files by their paths: those that were built, or new ones."""
    try:
        index: dict[str, dict[str, Any]] = json.loads((BUILT / _INDEX).read_text())
    except FileNotFoundError:
        return make()
    return {
        path: StaticFile(compressed=(BUILT / fields["etag"]).read_text(), **fields) for path, fields in index.items()
    }


def console_settings() -> StaticFile:
    """Return the settings of the console, which are those of the deployment, and not of the build."""
    return _file(_JSON, console.settings_text())


def make() -> dict[str, StaticFile]:
    """Return the files by their paths, made from their sources."""
    return {**_docs(), **_console()}


def build(folder: Path) -> None:
    """Write the files into a folder."""
    folder.mkdir()
    files = make()
    for file in files.values():
        (folder / file.etag).write_text(file.compressed)
    index = {path: {k: v for k, v in file._asdict().items() if k != "compressed"} for path, file in files.items()}
    (folder / _INDEX).write_text(json.dumps(index))


def _docs() -> dict[str, StaticFile]:
    style_path, style = _immutable("/docs/{}.css", _CSS, docs.style())
    script_path, script = _immutable("/docs/{}.js", _JAVASCRIPT, docs.script())
    return {
        "/docs": _file(_HTML, docs.page(style_path, script_path)),
        "/openapi.json": _file(_JSON, docs.description()),
        style_path: style,
        script_path: script,
    }


def _console() -> dict[str, StaticFile]:
    style_path, style = _immutable("/console/{}.css", _CSS, console.style())
    script_path, script = _immutable("/console/{}.js", _JAVASCRIPT, console.script())
    return {
        "/console": _file(_HTML, console.page(style_path, script_path)),
        style_path: style,
        script_path: script,
    }


def _immutable(path: str, media_type: str, text: str) -> tuple[str, StaticFile]:
    file = _file(media_type, text)._replace(is_immutable=True)
    return path.format(file.etag[:16]), file


def _file(media_type: str, text: str) -> StaticFile:
    # Without the time, so that equal sources build equal layers.
    compressed = gzip.compress(text.encode(), mtime=0)
    return StaticFile(
        media_type, base64.b64encode(compressed).decode(), hashlib.sha256(text.encode()).hexdigest(), is_immutable=False
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]))
