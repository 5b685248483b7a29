"""The files of the staff console, as the function serves them."""

import base64
import json
import re

import pytest

from storefront import static_files
from storefront.console import modules, page
from tests.api_client import ROOT, ApiClient, expect, load_function
from tests.handlers.pages import ONLY_OWN_FILES, Elements, directives

FOLDER = ROOT / "layers" / "common" / "python" / "storefront" / "console"
SCRIPTS = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.js"))}
TEXTS = json.loads((FOLDER / modules.TEXTS).read_text())
MAX_BYTES = 60_000
MAX_LINES = 300
ISSUER = "https://login.example.com/shop"


@pytest.fixture
def elements(api: ApiClient) -> Elements:
    return Elements(api.get("/console").text)


def test_the_page_consists_of_files_of_this_server(elements: Elements) -> None:
    files = {"data:,", "/console/settings.json", *(path for path in elements.addresses if path.startswith("/console/"))}
    assert elements.addresses == files
    assert elements.contents == {}


def test_each_file_of_the_page_exists_and_is_immutable(api: ApiClient, elements: Elements) -> None:
    paths = elements.addresses - {"data:,", "/console/settings.json"}
    assert sorted(path.rpartition(".")[2] for path in paths) == ["css", "js"]
    for path in paths:
        response = api.get(path)
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"


def test_everything_together_has_less_than_60_kb(api: ApiClient) -> None:
    assert api.get("/console").status == 200
    files = [file for path, file in static_files.load().items() if path.startswith("/console")]
    files.append(static_files.console_settings())
    assert sum(len(base64.b64decode(file.compressed)) for file in files) < MAX_BYTES


def test_the_policy_allows_no_inline_code_no_other_host_and_no_frame(api: ApiClient) -> None:
    assert directives(api.get("/console")) == {
        **ONLY_OWN_FILES,
        "require-trusted-types-for": "'script'",
        "trusted-types": "lit-html",
    }


def test_the_page_can_reach_the_issuer_and_the_origins_that_its_metadata_names(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_ISSUER", ISSUER)
    monkeypatch.setenv("CONSOLE_ORIGINS", "https://tokens.example.com https://Out.example.com:8443")
    load_function("docs")
    allowed = "'self' https://login.example.com https://tokens.example.com https://Out.example.com:8443"
    assert f"connect-src {allowed};" in page.headers()["Content-Security-Policy"]
    assert api.get("/console").status == 200


@pytest.mark.parametrize(
    "origin", ["*", "http://example.com", "https://a.example/path", "https://a.example;", "'self'"]
)
def test_a_setting_that_is_no_origin_is_refused(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_ORIGINS", origin)
    with pytest.raises(ValueError, match="CONSOLE_ORIGINS"):
        page.headers()


def test_the_settings_say_how_to_sign_in(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"currency": "USD", "auth": False, "issuer": "", "client_id": "", "scope": ""}
    monkeypatch.setenv("AUTH", "off")
    assert expect(200, api.get("/console/settings.json")) == settings
    monkeypatch.delenv("AUTH")
    assert expect(200, api.get("/console/settings.json")) == settings | {"auth": True}
    monkeypatch.setenv("CONSOLE_ISSUER", ISSUER)
    monkeypatch.setenv("CONSOLE_CLIENT_ID", "console")
    monkeypatch.setenv("CONSOLE_SCOPE", "openid orders:read")
    shown = expect(200, api.get("/console/settings.json"))
    given = {"auth": True, "issuer": ISSUER, "client_id": "console", "scope": "openid orders:read"}
    assert shown == settings | given


def test_the_settings_are_not_built_and_not_kept(api: ApiClient) -> None:
    assert "/console/settings.json" not in static_files.make()
    assert api.get("/console/settings.json").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/console/x.js", "/console/..", "/console/texts.json", "/console/%2e%2e", "/console/a/b"]
)
def test_another_file_is_not_found(api: ApiClient, path: str) -> None:
    assert api.get(path).problem() == (404, "route-not-found")


def test_the_console_is_read_only(api: ApiClient) -> None:
    assert api.call("POST", "/console", {}).problem() == (405, "method-not-allowed")


def used_texts() -> tuple[set[str], set[str]]:
    """The keys of the texts that the scripts use, and the starts of keys that end with a value of the API."""
    code = "".join(SCRIPTS.values())
    keys = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', code)) & (TEXTS.keys() | set(re.findall(r'\bt\("([^"]+)"', code)))
    starts = set(re.findall(r"\bt\(`([^$`]+)\$", code))
    kinds = re.findall(r'\b(?:word|badge|choices)\("(\w+)"', code)
    return keys, starts | {f"{kind}." for kind in kinds}


def test_the_scripts_use_each_text_and_no_missing_one() -> None:
    keys, starts = used_texts()
    of_the_page = {"console.needs_javascript", "console.loading"}
    assert keys - TEXTS.keys() == set()
    assert {key for key in TEXTS if not key.startswith(tuple(starts))} - keys == of_the_page


def test_each_value_of_the_api_has_a_text() -> None:
    schemas = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]["schemas"]
    kinds = {
        "order_status": schemas["OrderStatus"]["enum"],
        "payment_status": schemas["PaymentStatus"]["enum"],
        "refund_status": schemas["RefundStatus"]["enum"],
        "refund_state": schemas["OrderRefundStatus"]["enum"],
        "outcome": schemas["Outcome"]["enum"],
        "kind": schemas["ReconciliationKind"]["enum"],
        "kind_explained": schemas["ReconciliationKind"]["enum"],
        "movement_kind": schemas["StockMovement"]["properties"]["kind"]["enum"],
        "charge": schemas["Charge"]["properties"]["kind"]["enum"],
        "dispute": schemas["DisputeStatus"]["enum"],
    }
    assert {f"{kind}.{value}" for kind, values in kinds.items() for value in values} - TEXTS.keys() == set()
    settled = re.findall(r"^  (\w+): \[", SCRIPTS["attention.js"], re.MULTILINE)
    assert sorted(settled) == sorted(kinds["kind"])


def test_english_is_only_in_the_file_of_texts() -> None:
    for name, code in SCRIPTS.items():
        markup = re.sub(r"\$\{[^{}]*\}", "", re.sub(r"(?m)^\s*(//|/?\*).*$", "", code))
        assert re.findall(r">\s*[A-Za-z][a-z]+ [a-z]+[^<>=(;{]*<", markup) == [], name
        assert re.findall(r'(?:label|title|hint|action): "', code) == [], name


def test_no_module_evaluates_text_as_code_or_as_markup() -> None:
    for name, code in SCRIPTS.items():
        assert (
            re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|\beval\(|new Function|document\.write", code)
            == []
        ), name


def test_no_token_is_stored_or_logged() -> None:
    for name, code in SCRIPTS.items():
        stored = re.findall(r"(?:localStorage|sessionStorage|indexedDB|document\.cookie)[^\n]*", code)
        assert name == "sign_in.js" or stored == [], name
        assert [line for line in stored if "token" in line or "localStorage" in line] == []
        assert [line for line in re.findall(r"console\.\w+\(.*", code) if "token" in line.lower()] == []


def test_modules_are_short() -> None:
    assert {name for name, code in SCRIPTS.items() if code.count("\n") >= MAX_LINES} == set()


def test_a_module_comes_after_those_that_it_imports_and_keeps_its_names() -> None:
    script = modules.joined("main.js")
    order = re.findall(r"^const \$(\w+) = \(\(\) => ", script, re.MULTILINE)
    assert order[-1] == "main_js"
    for name, code in SCRIPTS.items():
        imported = [one.removeprefix("./") for one in re.findall(r'^import .+ from "(.+)";', code, re.MULTILINE)]
        places = [order.index(re.sub(r"\W", "_", one)) for one in (*imported, name)]
        assert max(places) == places[-1], name
    assert re.findall(r"^(?:import|export)\b.*$", script, re.MULTILINE) == []


def test_the_libraries_are_those_of_the_lock_file() -> None:
    lock = json.loads((modules.NODE_MODULES.parent / "package-lock.json").read_text())["packages"]
    assert lock[""]["dependencies"].keys() == modules.LIBRARIES.keys()
    for name, entry in lock.items():
        if name:
            assert entry["integrity"].startswith("sha512-")
            # The address of a registry would be that of the machine which wrote the file.
            assert "resolved" not in entry
            installed = json.loads((modules.NODE_MODULES.parent / name / "package.json").read_text())
            assert installed["version"] == entry["version"]
