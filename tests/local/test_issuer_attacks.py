"""Websites and hostile requests get nothing from the issuer of `AUTH=on make run`."""

import html
import re
from urllib.parse import urlencode

import pytest

from tests.api_client import over_http
from tests.local.console_client import FORM, METADATA, ORIGIN, Console, is_page, port_of, refused

FOR_SCRIPTS = [("GET", METADATA), ("GET", "/jwks"), ("POST", "/token"), ("POST", "/revoke")]


@pytest.mark.parametrize(("method", "path"), FOR_SCRIPTS)
def test_only_scripts_of_the_console_read_responses(console: Console, method: str, path: str) -> None:
    for origin in (ORIGIN, "http://localhost:3000"):
        for verb in (method, "OPTIONS"):
            headers = console.send(verb, path, Origin=origin).headers
            assert headers["access-control-allow-origin"] == origin
            assert (headers["vary"], headers["access-control-allow-headers"]) == ("Origin", "Content-Type")
            assert method in headers["access-control-allow-methods"]
    for origin in ("http://127.0.0.1:3001", "http://127.0.0.1", "https://attacker.example", "null", console.issuer):
        for verb in (method, "OPTIONS"):
            assert "access-control-allow-origin" not in console.send(verb, path, Origin=origin).headers
    assert "access-control-allow-origin" not in console.send(method, path).headers


def test_no_script_reads_the_pages(console: Console) -> None:
    for path in ("/authorize", "/logout", "/style.css"):
        assert "access-control-allow-origin" not in console.send("GET", path, Origin=ORIGIN).headers


def test_a_form_of_another_site_signs_nobody_in(console: Console) -> None:
    fields = {**console.question(), "user": "manager"}
    console.authorize()
    assert console.cookies
    for token in ({}, {"form_token": "x" * 43}, {"form_token": "é"}):
        response = console.send("POST", "/authorize", urlencode({**fields, **token}), origin="null", **FORM)
        assert is_page(response, 403)
        assert "set-cookie" not in response.headers
    # A token of another browser, and a browser without the cookie.
    page = Console(console.issuer, ORIGIN).authorize()
    assert is_page(console.press(page, "manager"), 403)
    console.cookies = {}
    assert is_page(console.press(page, "manager"), 403)


def test_a_user_who_does_not_exist_is_refused(console: Console) -> None:
    assert is_page(console.press(console.authorize(), "admin"), 400)
    assert is_page(console.press(console.authorize(), ""), 400)


def test_another_host_gets_421(console: Console) -> None:
    port = port_of(console.issuer)
    for host in (f"attacker.example:{port}", f"localhost:{port}", "127.0.0.1", ""):
        for path in (METADATA, "/authorize", "/style.css"):
            assert console.send("GET", path, Host=host).status == 421


def test_cookies_are_not_for_scripts_or_other_sites(console: Console) -> None:
    page = console.authorize()
    for response in (page, console.press(page, "manager")):
        assert re.fullmatch(
            r"storefront-local-\w+=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", response.headers["set-cookie"]
        )


def test_a_session_gets_a_new_secret(console: Console) -> None:
    console.cookies["storefront-local-session"] = "chosen-by-somebody-else"
    console.sign_in()
    assert console.cookies["storefront-local-session"] != "chosen-by-somebody-else"


def test_the_page_cannot_be_framed_and_loads_only_its_style(console: Console) -> None:
    page = console.authorize()
    policy = page.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self' http://127.0.0.1:3000 "
    )
    assert policy.endswith("; frame-ancestors 'none'")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script|<style|style=| on\w+=", page.text)
    assert console.send("GET", "/style.css").headers["content-type"] == "text/css; charset=utf-8"


def test_the_page_names_the_users_and_their_scopes(console: Console) -> None:
    text = " ".join(re.sub(r"<[^>]+>", "", html.unescape(console.authorize().text)).split())
    assert re.findall(r"Sign in as \w+", text) == ["Sign in as manager", "Sign in as orders"]
    assert "These are test users of this computer." in text
    assert "The scopes are catalog:write, orders:all, orders:read and orders:manage." in text
    assert "The scopes are orders:all, orders:read and orders:manage." in text


def test_the_page_escapes_what_the_request_says(console: Console) -> None:
    attack = "\"><script>alert('&')</script>"
    page = console.authorize(state=attack, nonce=attack)
    assert "<script" not in page.text
    assert console.returned(console.press(page, "manager"))["state"] == attack


HOSTILE = {
    "NUL": "state=%00",
    "a line break": "state=a%0D%0ALocation:x",
    "not UTF-8": "state=%FF",
    "half of a surrogate": "state=%ED%A0%80",
    "a repeated parameter": "state=a&state=b",
    "a repeated client": "client_id=console",
    "a repeated address": "redirect_uri=https%3A%2F%2Fattacker.example",
    "a huge parameter": f"state={'x' * 17_000}",
    "many parameters": "&".join(f"p{number}=x" for number in range(100)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_refused(console: Console, name: str) -> None:
    question = f"{urlencode({**console.question(state=None)})}&{HOSTILE[name]}"
    assert is_page(console.send("GET", f"/authorize?{question}"), 400)
    assert is_page(console.send("GET", f"/logout?client_id=console&client_id=console&{HOSTILE[name]}"), 400)
    status = 413 if name == "a huge parameter" else 400
    assert is_page(console.send("POST", "/authorize", question, **FORM), status)
    for path in ("/token", "/revoke"):
        assert refused(console.send("POST", path, question, **FORM)) == (status, "invalid_request")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\x00", FORM),
        (b"%", FORM),
        (b"", FORM),
        (b"&&==&", FORM),
        (b"{}", {"content-type": "application/json"}),
        (b"client_id=console", {}),
        (b"x", {"content-type": "multipart/form-data; boundary=x"}),
        (b"client_id=console", {**FORM, "content-length": "x"}),
    ],
)
def test_a_body_that_is_no_form_is_refused(issuer_url: str, body: bytes, headers: dict[str, str]) -> None:
    for path in ("/token", "/revoke", "/authorize"):
        assert 400 <= over_http(issuer_url)("POST", path, body, headers).status < 500


@pytest.mark.parametrize("target", ["/nowhere", "/%00", "/%FF", "//[", "/token", "/../local/tokens.py", "/jwks/"])
def test_an_unknown_path_or_method_is_refused(console: Console, target: str) -> None:
    assert 400 <= console.send("GET", target).status < 500


def test_hostile_cookies_count_as_none(console: Console) -> None:
    for value in ("", "\x01", "é".encode().decode("latin-1"), "x" * 10_000, '"><script>', "a;b=c"):
        response = console.send(
            "GET", f"/authorize?{urlencode(console.question())}", cookie=f"storefront-local-form={value}"
        )
        assert is_page(response, 200)
        assert "<script" not in response.text
