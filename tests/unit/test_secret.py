"""The webhook secret is fetched from Secrets Manager, with one retry, and never shown."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from local.aws import WEBHOOK_SECRET_NAME, aws
from local.signing import LOCAL_SECRETS
from storefront.payments.secret import fetch_secret
from tests.endpoint import CannedResponse, serving

FETCHED = json.dumps({"SecretString": "hunter2"}).encode()


@pytest.fixture(autouse=True)
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "local"), ("SECRET_ACCESS_KEY", "local"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("WEBHOOK_SECRET_ID", WEBHOOK_SECRET_NAME)


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A boto3 client for Moto's Secrets Manager, which has the local secrets."""
    with aws(LOCAL_SECRETS) as endpoint:
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", endpoint)
        yield boto3.client("secretsmanager", endpoint_url=endpoint, region_name="us-east-1")


@pytest.mark.usefixtures("secrets_manager")
def test_the_secret_comes_from_secrets_manager() -> None:
    assert json.loads(fetch_secret() or "") == LOCAL_SECRETS


@pytest.mark.parametrize("secret_id", ["", "gone", "deleted"])
def test_a_missing_secret_is_none(secrets_manager: Any, secret_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets_manager.create_secret(Name="deleted", SecretString="{}")
    secrets_manager.delete_secret(SecretId="deleted", RecoveryWindowInDays=7)
    monkeypatch.setenv("WEBHOOK_SECRET_ID", secret_id)
    assert fetch_secret() is None


@pytest.fixture
def use_endpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda url: monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)


FAILURES = [
    None,
    (500, b"hunter2"),
    (503, b'{"__type": "InternalServiceError", "message": "hunter2"}'),
    (400, b'{"__type": "com.amazonaws.secretsmanager#ThrottlingException"}'),
    (200, b"hunter2"),
    (200, b"[]"),
    (200, b'{"SecretBinary": "aHVudGVyMg=="}'),
]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_failed_fetch_is_retried_once(failure: CannedResponse | None, use_endpoint: Callable[[str], None]) -> None:
    with serving(failure, (200, FETCHED)) as (url, requests):
        use_endpoint(url)
        assert fetch_secret() == "hunter2"
    assert [headers["x-amz-target"] for headers in requests] == ["secretsmanager.GetSecretValue"] * 2


@pytest.mark.parametrize("failure", FAILURES[1:], ids=str)
def test_a_second_failure_is_raised_without_the_content(
    failure: CannedResponse, use_endpoint: Callable[[str], None]
) -> None:
    with serving(failure, failure) as (url, _):
        use_endpoint(url)
        with pytest.raises(OSError, match=f"Secrets Manager responded with {failure[0]}") as raised:
            fetch_secret()
    assert "hunter2" not in repr(raised.value)


@pytest.mark.parametrize("error", ["ResourceNotFoundException", "com.amazonaws.secretsmanager#InvalidRequestException"])
def test_a_missing_secret_is_not_retried(error: str, use_endpoint: Callable[[str], None]) -> None:
    with serving((400, json.dumps({"__type": error}).encode())) as (url, requests):
        use_endpoint(url)
        assert fetch_secret() is None
    assert len(requests) == 1


def test_an_unreachable_secrets_manager_is_a_temporary_error(use_endpoint: Callable[[str], None]) -> None:
    use_endpoint("http://127.0.0.1:1")
    with pytest.raises(OSError, match="refused"):
        fetch_secret()


def test_an_https_endpoint_requires_tls(use_endpoint: Callable[[str], None]) -> None:
    with serving((200, FETCHED)) as (url, requests):
        use_endpoint(url.replace("http:", "https:"))
        with pytest.raises(OSError, match=r"(?i)ssl"):
            fetch_secret()
    assert requests == []
