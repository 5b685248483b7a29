"""A deployment sets the budget of the stack, in the account's one list of budgets."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.api_client import lambda_context
from tests.unit.test_deployment import cloudformation, deployment, request

ACCOUNT = "123456789012"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local-only")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local-only")
    # This region does not have AWS::Budgets::Budget.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        yield


def deploy(kind: str, amount: str, name: str = "storefront-eu-north-1") -> dict[str, Any]:
    """Send a request for the budget, and return what CloudFormation receives."""
    properties = {"ServiceToken": "arn", "Name": name, "Amount": amount, "Email": "owner@shop.example"}
    with cloudformation() as (url, responses):
        event = {**request(kind, url), "ResourceType": "Custom::Budget", "LogicalResourceId": "Budget"}
        deployment.lambda_handler({**event, "ResourceProperties": properties}, lambda_context())
    [response] = responses
    return response


def budgets() -> dict[str, str]:
    """The amount of each budget."""
    found = boto3.client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    return {one["BudgetName"]: one["BudgetLimit"]["Amount"] for one in found}


def test_a_deployment_creates_changes_and_deletes_the_budget() -> None:
    assert deploy("Create", "90")["Status"] == "SUCCESS"
    assert budgets() == {"storefront-eu-north-1": "90"}
    assert deploy("Update", "120")["Status"] == "SUCCESS"
    assert budgets() == {"storefront-eu-north-1": "120"}
    assert deploy("Delete", "120")["Status"] == "SUCCESS"
    assert budgets() == {}


def test_the_owner_hears_of_costs_before_and_after_they_arise() -> None:
    deploy("Create", "90")
    found = boto3.client("budgets").describe_notifications_for_budget(
        AccountId=ACCOUNT, BudgetName="storefront-eu-north-1"
    )
    assert {(one["NotificationType"], one["Threshold"]) for one in found["Notifications"]} == {
        ("ACTUAL", 80.0),
        ("FORECASTED", 100.0),
    }


def test_a_repeated_request_leaves_one_budget() -> None:
    assert [deploy("Create", "90")["Status"] for _ in range(2)] == ["SUCCESS", "SUCCESS"]
    assert budgets() == {"storefront-eu-north-1": "90"}


def test_deleting_a_budget_that_was_removed_by_hand_succeeds() -> None:
    assert deploy("Delete", "90")["Status"] == "SUCCESS"


def test_the_budget_of_another_stack_stays() -> None:
    deploy("Create", "600", name="storefront-us-east-1")
    deploy("Create", "90")
    deploy("Delete", "90")
    assert budgets() == {"storefront-us-east-1": "600"}


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_refused_budget_stops_no_deployment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    calls = []

    def refuse(_: Any, operation: str, __: Any) -> None:
        calls.append(operation)
        raise ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": "This is a linked account."}}, operation
        )

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    assert deploy(kind, "90")["Status"] == "SUCCESS"
    assert len(calls) == 1
    assert "This is a linked account." in caplog.text
