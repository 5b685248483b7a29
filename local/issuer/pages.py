"""What people see in the browser: the page to sign in, and messages."""

from collections.abc import Collection, Mapping
from pathlib import Path

from flask import render_template

from local.issuer.sign_ins import USERS

FOLDER = Path(__file__).parent / "templates"
STYLE = (FOLDER / "style.css").read_text()

_CAN = {
    "manager": "can change products and stock, and manage orders",
    "orders": "can only manage orders",
}


def headers(console_origins: Collection[str]) -> dict[str, str]:
    """Return the headers of every response."""
    # Chromium applies form-action also to the redirect after a form, which leads to the console.
    form_targets = " ".join(["'self'", *console_origins])
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
        f"form-action {form_targets}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def sign_in(redirect_uri: str, fields: Mapping[str, str]) -> str:
    """Return the page with a button for each test user. fields: the hidden fields of its form."""
    users = [{"name": name, "can": _CAN[name], "scopes": scopes} for name, scopes in USERS.items()]
    return render_template("sign_in.html", redirect_uri=redirect_uri, fields=fields, users=users)


def message(title: str, text: str) -> str:
    """Return a page with a message."""
    return render_template("message.html", title=title, text=text)
