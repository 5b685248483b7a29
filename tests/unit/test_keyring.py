"""The webhook's secrets: cached, rotated without a deployment, and failing closed."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from storefront.errors import Unavailable
from storefront.payments.keyring import MAX_AGE, REFETCH_INTERVAL, RETRY_INTERVAL, Keyring, fetch_secret
from storefront.payments.signatures import InvalidSignature, Unauthenticated, sign

BODY = b"{}"


class SecretStore:
    """A secret that a test can change, which counts how often it is asked for."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.away = False
        self.fetches = 0

    def fetch(self) -> str | None:
        self.fetches += 1
        if self.away:
            raise TimeoutError
        return self.text


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def document(*secrets: str) -> str:
    return json.dumps({"x_signature": list(secrets)})


def signed_with(secret: str) -> dict[str, str]:
    return {"x-signature": sign(BODY, secret.encode())}


def keyring_that_knows(*secrets: str) -> tuple[SecretStore, Clock, Keyring]:
    """A keyring that has seen an event signed with the first of the secrets."""
    store, clock = SecretStore(document(*secrets)), Clock()
    keyring = Keyring(store.fetch, clock)
    keyring.authenticate(signed_with(secrets[0]), BODY)
    return store, clock, keyring


def test_the_secret_is_fetched_once_for_many_events() -> None:
    store = SecretStore('{"x_signature": "one"}')
    keyring = Keyring(store.fetch)
    for _ in range(3):
        keyring.authenticate(signed_with("one"), BODY)
    assert store.fetches == 1


def test_a_rotation_is_noticed_at_the_first_event_that_does_not_match() -> None:
    store, clock, keyring = keyring_that_knows("old")
    store.text = document("old", "new")
    clock.now += REFETCH_INTERVAL
    keyring.authenticate(signed_with("new"), BODY)
    keyring.authenticate(signed_with("old"), BODY)
    assert store.fetches == 2


def test_a_secret_taken_away_is_refused_after_the_next_fetch() -> None:
    store, clock, keyring = keyring_that_knows("old")
    store.text = document("new")
    clock.now += REFETCH_INTERVAL
    keyring.authenticate(signed_with("new"), BODY)
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("old"), BODY)


def test_a_secret_taken_away_is_refused_in_time_though_no_event_misses_it() -> None:
    store, clock, keyring = keyring_that_knows("new", "leaked")
    store.text = document("new")
    clock.now += MAX_AGE
    keyring.authenticate(signed_with("new"), BODY)
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("leaked"), BODY)


def test_a_secret_that_was_deleted_refuses_everything_in_time() -> None:
    store, clock, keyring = keyring_that_knows("one")
    store.text = None
    clock.now += MAX_AGE
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("one"), BODY)


def test_a_rotation_to_a_malformed_secret_keeps_the_one_before() -> None:
    store, clock, keyring = keyring_that_knows("one")
    store.text = "not JSON"
    clock.now += MAX_AGE
    keyring.authenticate(signed_with("one"), BODY)


@pytest.mark.parametrize("headers", [{}, {"x-signature": "not hex"}])
def test_an_event_that_cannot_be_authentic_asks_nothing_of_secrets_manager(headers: dict[str, str]) -> None:
    store = SecretStore(document("one"))
    with pytest.raises(Unauthenticated):
        Keyring(store.fetch).authenticate(headers, BODY)
    assert store.fetches == 0


def test_while_no_secret_is_known_secrets_manager_is_asked_once_a_second() -> None:
    store, clock = SecretStore(document("one")), Clock()
    store.away = True
    keyring = Keyring(store.fetch, clock)
    for _ in range(10):
        with pytest.raises(Unavailable):
            keyring.authenticate(signed_with("one"), BODY)
    assert store.fetches == 1
    store.away = False
    clock.now += RETRY_INTERVAL
    keyring.authenticate(signed_with("one"), BODY)


def test_forged_events_cannot_ask_for_more_than_one_fetch_in_an_interval() -> None:
    store, clock = SecretStore(document("one")), Clock()
    keyring = Keyring(store.fetch, clock)
    for _ in range(100):
        with pytest.raises(InvalidSignature):
            keyring.authenticate(signed_with("forged"), BODY)
    assert store.fetches == 1
    clock.now += REFETCH_INTERVAL
    for _ in range(100):
        with pytest.raises(InvalidSignature):
            keyring.authenticate(signed_with("forged"), BODY)
    assert store.fetches == 2


def test_while_secrets_manager_is_away_the_known_secrets_decide() -> None:
    store, clock, keyring = keyring_that_knows("one")
    store.away = True
    clock.now += REFETCH_INTERVAL
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("forged"), BODY)
    keyring.authenticate(signed_with("one"), BODY)


def test_while_no_secret_is_known_yet_the_processor_is_asked_to_come_back() -> None:
    store = SecretStore(document("one"))
    store.away = True
    with pytest.raises(Unavailable):
        Keyring(store.fetch).authenticate(signed_with("one"), BODY)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{}",
        "not JSON",
        "[]",
        '{"x_signature": ""}',
        '{"x_signature": []}',
        '{"x_signature": [""]}',
        '{"x_signature": null}',
        '{"x_signature": 7}',
        '{"x_signature": ["1", "2", "3", "4"]}',
        '{"stripe": "1"}',
    ],
)
@pytest.mark.parametrize("forged_with", ["", "1", "None", "7"])
def test_a_secret_that_is_missing_or_malformed_refuses_everything(text: str | None, forged_with: str) -> None:
    with pytest.raises(Unauthenticated):
        Keyring(SecretStore(text).fetch).authenticate(signed_with(forged_with), BODY)


def test_a_malformed_secret_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unauthenticated):
        Keyring(SecretStore('{"x_signature": ["hunter2", 7]}').fetch).authenticate(signed_with("x"), BODY)
    assert caplog.messages == ["the webhook's secret is malformed"]
    assert "hunter2" not in str([vars(record) for record in caplog.records])


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        yield


@pytest.mark.usefixtures("secrets_manager")
def test_the_secret_comes_from_secrets_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("secretsmanager").create_secret(Name="webhook", SecretString=document("one"))
    monkeypatch.setenv("WEBHOOK_SECRET_ID", "webhook")
    Keyring(fetch_secret).authenticate(signed_with("one"), BODY)


@pytest.mark.usefixtures("secrets_manager")
@pytest.mark.parametrize("secret_id", ["", "gone"])
def test_a_secret_that_is_not_configured_or_not_there_is_none(monkeypatch: pytest.MonkeyPatch, secret_id: str) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET_ID", secret_id)
    assert fetch_secret() is None
