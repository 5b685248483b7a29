"""The page /console, where the shop's staff work: a style, a script, and settings of the deployment."""

import html
import json
from string import Template

from storefront import settings
from storefront.console import modules
from storefront.docs import page as docs
from storefront.json_text import to_json


def headers() -> dict[str, str]:
    """Return the headers of the page. It may connect to its own server and to the issuer of tokens, and to no other."""
    shared = docs.headers(settings.console_origins())
    policy = f"{shared['Content-Security-Policy']}; require-trusted-types-for 'script'; trusted-types lit-html"
    return {**shared, "Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin"}


def settings_text() -> str:
    """Return the shop's currency and how staff sign in, as JSON. Without an issuer, nobody can."""
    shown = {
        "currency": settings.currency(),
        "auth": settings.auth_is_on(),
        "issuer": settings.console_issuer(),
        "client_id": settings.console_client_id(),
        "scope": settings.console_scope(),
    }
    return f"{to_json(shown)}\n"


def style() -> str:
    return _read("console.css")


def script() -> str:
    return modules.joined("main.js")


def page(style_path: str, script_path: str) -> str:
    """Return the page as HTML, with the paths of its style and its script."""
    texts = json.loads(_read(modules.TEXTS))
    words = {name: html.escape(texts[f"console.{name}"]) for name in ("title", "loading", "needs_javascript")}
    return Template(_read("console.html")).substitute(words, style=style_path, script=script_path)


def _read(name: str) -> str:
    return (modules.HERE / name).read_text()
