"""The webhook's secret is fetched from Secrets Manager, once more where that fails, and never shown."""

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
def own_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "local"), ("SECRET_ACCESS_KEY", "local"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("WEBHOOK_SECRET_ID", WEBHOOK_SECRET_NAME)


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moto's, with the laptop's secrets in it, and a client of AWS's own."""
    with aws(LOCAL_SECRETS) as endpoint:
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", endpoint)
        yield boto3.client("secretsmanager", endpoint_url=endpoint, region_name="us-east-1")


@pytest.mark.usefixtures("secrets_manager")
def test_the_secret_comes_from_secrets_manager() -> None:
    assert json.loads(fetch_secret() or "") == LOCAL_SECRETS


@pytest.mark.parametrize("secret_id", ["", "gone", "deleted"])
def test_a_secret_that_is_not_configured_or_not_there_is_none(
    secrets_manager: Any, secret_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets_manager.create_secret(Name="deleted", SecretString="{}")
    secrets_manager.delete_secret(SecretId="deleted", RecoveryWindowInDays=7)
    monkeypatch.setenv("WEBHOOK_SECRET_ID", secret_id)
    assert fetch_secret() is None


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda url: monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)


TROUBLE = [
    None,
    (500, b"hunter2"),
    (503, b'{"__type": "InternalServiceError", "message": "hunter2"}'),
    (400, b'{"__type": "com.amazonaws.secretsmanager#ThrottlingException"}'),
    (200, b"hunter2"),
    (200, b"[]"),
    (200, b'{"SecretBinary": "aHVudGVyMg=="}'),
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
def test_a_fetch_that_fails_is_tried_once_more(trouble: CannedResponse | None, at: Callable[[str], None]) -> None:
    with serving(trouble, (200, FETCHED)) as (url, asked):
        at(url)
        assert fetch_secret() == "hunter2"
    assert [headers["x-amz-target"] for headers in asked] == ["secretsmanager.GetSecretValue"] * 2


@pytest.mark.parametrize("trouble", TROUBLE[1:], ids=str)
def test_a_fetch_that_fails_twice_says_why_and_not_what(trouble: CannedResponse, at: Callable[[str], None]) -> None:
    with serving(trouble, trouble) as (url, _):
        at(url)
        with pytest.raises(OSError, match=f"Secrets Manager answered {trouble[0]}") as raised:
            fetch_secret()
    assert "hunter2" not in repr(raised.value)


@pytest.mark.parametrize("error", ["ResourceNotFoundException", "com.amazonaws.secretsmanager#InvalidRequestException"])
def test_a_secret_that_is_gone_is_not_asked_for_again(error: str, at: Callable[[str], None]) -> None:
    with serving((400, json.dumps({"__type": error}).encode())) as (url, asked):
        at(url)
        assert fetch_secret() is None
    assert len(asked) == 1


def test_a_secrets_manager_that_is_away_is_trouble_that_passes(at: Callable[[str], None]) -> None:
    at("http://127.0.0.1:1")
    with pytest.raises(OSError, match="refused"):
        fetch_secret()


def test_an_address_in_clear_text_is_for_a_laptop_alone(at: Callable[[str], None]) -> None:
    with serving((200, FETCHED)) as (url, asked):
        at(url.replace("http:", "https:"))
        with pytest.raises(OSError, match=r"(?i)ssl"):
            fetch_secret()
    assert asked == []
