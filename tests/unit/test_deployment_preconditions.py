"""A deployment that would fail late, or lose sight of the data, fails before anything has changed."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.api_client import lambda_context
from tests.unit.test_deployment import STACK, client_error, cloudformation, deployment, request

KINDS = ("serverless", "instance", "existing")


def stub_aws(monkeypatch: pytest.MonkeyPatch, limit: int = 1000, status: str = "") -> None:
    """Lambda with this limit of concurrent executions, and CloudFormation with this status of the stack."""
    # The stack has reserved the others until now.
    settings = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": min(limit, 100)}
    # The role is a few seconds old.
    refusals = [client_error("AccessDeniedException")]

    def get_account_settings() -> dict[str, Any]:
        if refusals:
            raise refusals.pop()
        return {"AccountLimit": settings}

    def describe_stacks(**arguments: str) -> dict[str, Any]:
        assert arguments == {"StackName": STACK}
        return {"Stacks": [{"StackStatus": status or "UPDATE_IN_PROGRESS"}]}

    client = SimpleNamespace(get_account_settings=get_account_settings, describe_stacks=describe_stacks)
    monkeypatch.setattr(deployment.boto3, "client", lambda *_, **__: client)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def check(kind: str, *reservations: int, old: str | None = None, new: str = "serverless") -> dict[str, Any]:
    """Send a request, and return what CloudFormation receives. old: the kind of the database until now."""
    with cloudformation() as (url, responses):
        event = request(kind, url)
        event |= {"ResourceType": "Custom::Preconditions", "LogicalResourceId": "Preconditions"}
        # CloudFormation sends numbers as text.
        event["ResourceProperties"] = {"DatabaseKind": new, "Reservations": list(map(str, reservations))}
        if old is not None:
            event |= {"OldResourceProperties": {"DatabaseKind": old}, "PhysicalResourceId": "Preconditions"}
        deployment.lambda_handler(event, lambda_context())
    [response] = responses
    return response


@pytest.mark.parametrize(("old", "new"), [(old, new) for old in KINDS for new in KINDS if old != new])
def test_a_change_to_another_database_is_refused(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    stub_aws(monkeypatch)
    response = check("Update", old=old, new=new)
    assert response["Status"] == "FAILED"
    assert "DatabaseClass" in response["Reason"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_deployment_with_the_same_database_goes_on(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    stub_aws(monkeypatch)
    assert check("Create", new=kind)["Status"] == "SUCCESS"
    assert check("Update", old=kind, new=kind)["Status"] == "SUCCESS"


def test_the_rollback_of_a_refused_change_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_aws(monkeypatch, status="UPDATE_ROLLBACK_IN_PROGRESS")
    assert check("Update", old="instance", new="serverless")["Status"] == "SUCCESS"


def test_a_new_account_with_ten_executions_cannot_reserve_any(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_aws(monkeypatch, limit=10)
    response = check("Create", 20, 25)
    assert response["Status"] == "FAILED"
    assert "reserve 45 concurrent executions" in response["Reason"]
    assert "Of the 10" in response["Reason"]
    assert check("Create", 0, 0)["Status"] == "SUCCESS"


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize(("limit", "status"), [(145, "SUCCESS"), (144, "FAILED")])
def test_a_hundred_executions_of_the_account_stay_unreserved(
    monkeypatch: pytest.MonkeyPatch, limit: int, status: str, kind: str
) -> None:
    # A Create can be a part of an update: of a stack that had the reservations before it had this check.
    stub_aws(monkeypatch, limit=limit)
    assert check(kind, 20, 25)["Status"] == status


def test_deleting_the_stack_checks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_aws(monkeypatch, limit=10)
    assert check("Delete", 20, 25)["Status"] == "SUCCESS"
