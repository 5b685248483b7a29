"""The OpenAPI document is valid and up to date, with an example for every request and every error."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from openapi import events
from openapi.document import document, text
from openapi.headers import REQUEST_HEADERS
from openapi.operations import OPERATIONS
from openapi.problems import EXAMPLES, every_problem
from storefront.errors import InvalidRequest
from storefront.idempotency.keys import idempotency_key
from storefront.products.models import NewProduct
from storefront.routes import ROUTES, STATIC
from tests.api_client import FUNCTIONS, ROOT, load_function

DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())


def operations() -> Iterator[dict[str, Any]]:
    for methods in DOCUMENT["paths"].values():
        yield from methods.values()


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each body of a request or an error, with a name for the test's ID."""
    for operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{operation['operationId']}, request", content
        for status, response in operation["responses"].items():
            if status >= "400":
                for content in response["content"].values():
                    yield f"{operation['operationId']}, {status}", content


def test_the_openapi_file_is_up_to_date() -> None:
    assert (ROOT / "docs" / "openapi.json").read_text() == text(), "run `make openapi`"


def test_the_example_events_are_up_to_date() -> None:
    assert {path: path.read_text() for path in events.FOLDER.iterdir()} == events.files(), "run `make openapi`"


def test_the_openapi_file_is_valid() -> None:
    validate(DOCUMENT)


def test_the_name_of_a_schema_has_no_suffix_of_the_generator() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if not name.isalpha()] == []


def test_the_openapi_document_has_every_route() -> None:
    described = ROUTES.keys() - STATIC
    assert set(OPERATIONS) == {(method, path) for path in described for method in ROUTES[path]}


def test_an_operation_id_is_the_name_of_its_handler() -> None:
    handlers = {
        handler
        for name in set(FUNCTIONS.values())
        for handler, function in inspect.getmembers(load_function(name), inspect.isfunction)
        if function.__module__ == f"functions_{name}_app"
        and not handler.startswith("_")
        # A file of a page is not described.
        and handler not in ("get_docs_file", "get_console_file")
    }
    assert {operation["operationId"] for operation in operations()} == handlers


def test_an_operation_has_one_of_the_declared_tags() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert all(len(operation["tags"]) == 1 and set(operation["tags"]) <= tags for operation in operations())


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in contents()])
def test_every_request_and_every_error_has_a_valid_example(content: dict[str, Any]) -> None:
    examples = [example["value"] for example in content["examples"].values()]
    assert examples
    validator = Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})
    for example in examples:
        validator.validate(example)


def test_every_parameter_example_is_valid() -> None:
    examples = {
        (operation["operationId"], parameter["name"]): parameter
        for operation in operations()
        for parameter in operation.get("parameters", [])
        if "example" in parameter
    }
    assert {operation for operation, name in examples if name != "id"} >= {"list_products", "list_orders"}
    for parameter in examples.values():
        Draft202012Validator({**parameter["schema"], "components": DOCUMENT["components"]}).validate(
            parameter["example"]
        )


@pytest.mark.parametrize("key", ["a", "a,b\\", ",", "k" * 255, '"a b"', '"a', '"a"b', "", "k" * 256, '""', '","'])
def test_the_schema_accepts_the_idempotency_keys_that_the_code_accepts(key: str) -> None:
    try:
        is_accepted = idempotency_key(key) is not None
    except InvalidRequest:
        is_accepted = False
    assert Draft202012Validator(REQUEST_HEADERS["Idempotency-Key"]["schema"]).is_valid(key) == is_accepted


def test_every_problem_has_an_example_and_a_description() -> None:
    assert {one.kind for one in EXAMPLES} == {kind.kind for kind in every_problem()}
    for problem in document()["x-problem-types"]:
        assert problem["description"]
        assert {name: problem["example"][name] for name in ("type", "status", "title")}.items() <= problem.items()


def test_the_example_of_a_problem_has_the_members_of_its_kind() -> None:
    members = {
        (f"/docs#{kind}", name)
        for name, field in DOCUMENT["components"]["schemas"]["Problem"]["properties"].items()
        for kind in re.findall("Only in `([a-z-]+)`", field.get("description", ""))
    }
    in_examples = {(one["type"], name) for one in DOCUMENT["x-problem-types"] for name in one["example"]}
    assert ("/docs#several-payments", "payments") in members
    assert members <= in_examples


def test_every_signature_scheme_is_described() -> None:
    webhook = DOCUMENT["paths"]["/api/payment-webhook"]["post"]
    names = [{DOCUMENT["components"]["securitySchemes"][key]["name"] for key in one} for one in webhook["security"]]
    assert names == [
        {"X-Signature"},
        {"webhook-id", "webhook-timestamp", "webhook-signature"},
        {"Stripe-Signature"},
    ]


def test_the_description_says_which_sort_orders_can_miss_or_repeat_a_product() -> None:
    parameters = DOCUMENT["paths"]["/api/products"]["get"]["parameters"]
    [sort] = [one for one in parameters if one["name"] == "sort"]
    keys = {one.removeprefix("-") for one in sort["schema"]["enum"]}
    changing = keys & set(NewProduct.model_fields)
    described = re.search(r"product whose (.+?) changes .*Sorted by (.+?), ", sort["description"])
    assert described is not None
    unstable, stable = (set(re.findall("`([^`]+)`", names)) for names in described.groups())
    assert (unstable, stable) == (changing, keys - changing)


def test_the_description_says_that_an_empty_parameter_is_an_error() -> None:
    assert "An empty query parameter (`?status=`) is an error" in DOCUMENT["info"]["description"]
