"""Webhook secrets are cached, can be rotated without a deployment, and fail closed."""

import base64
import json

import pytest

from local.signing import LOCAL_SECRETS, sign
from storefront.errors import Unavailable
from storefront.payments.keyring import MAX_AGE, REFETCH_INTERVAL, RETRY_INTERVAL, Keyring
from storefront.payments.signatures import InvalidSignature, Scheme, Unauthenticated

BODY = b"{}"
NOW = 1_700_000_000
WHSEC = LOCAL_SECRETS["standard_webhooks"][0]


class SecretStore:
    """A secret that a test can change. Counts the fetches."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.is_unavailable = False
        self.fetches = 0

    def fetch(self) -> str | None:
        self.fetches += 1
        if self.is_unavailable:
            raise TimeoutError
        return self.text


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def document(*secrets: str) -> str:
    return json.dumps({"x_signature": list(secrets)})


def signed_with(secret: str, scheme: Scheme = "x_signature") -> dict[str, str]:
    return sign(scheme, [secret], BODY, "msg_1", NOW)


def keyring_of(text: str | None) -> Keyring:
    """A keyring for this secret, at the time of the signatures."""
    return Keyring(SecretStore(text).fetch, clock=lambda: NOW)


def keyring_with(*secrets: str) -> tuple[SecretStore, Clock, Keyring]:
    """A keyring that has already fetched these secrets, with its store and clock."""
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


def test_a_signature_that_does_not_match_fetches_the_rotated_secret() -> None:
    store, clock, keyring = keyring_with("old")
    store.text = document("old", "new")
    clock.now += REFETCH_INTERVAL
    keyring.authenticate(signed_with("new"), BODY)
    keyring.authenticate(signed_with("old"), BODY)
    assert store.fetches == 2


def test_a_removed_secret_is_refused_after_the_next_fetch() -> None:
    store, clock, keyring = keyring_with("old")
    store.text = document("new")
    clock.now += REFETCH_INTERVAL
    keyring.authenticate(signed_with("new"), BODY)
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("old"), BODY)


def test_a_removed_secret_is_refused_after_the_maximum_age() -> None:
    store, clock, keyring = keyring_with("new", "leaked")
    store.text = document("new")
    clock.now += MAX_AGE
    keyring.authenticate(signed_with("new"), BODY)
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("leaked"), BODY)


def test_a_deleted_secret_refuses_everything_after_the_maximum_age() -> None:
    store, clock, keyring = keyring_with("one")
    store.text = None
    clock.now += MAX_AGE
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("one"), BODY)


def test_a_malformed_new_secret_keeps_the_previous_one() -> None:
    store, clock, keyring = keyring_with("one")
    store.text = "not JSON"
    clock.now += MAX_AGE
    keyring.authenticate(signed_with("one"), BODY)


@pytest.mark.parametrize("headers", [{}, {"x-signature": "not hex"}])
def test_a_missing_or_malformed_signature_fetches_no_secret(headers: dict[str, str]) -> None:
    store = SecretStore(document("one"))
    with pytest.raises(Unauthenticated):
        Keyring(store.fetch).authenticate(headers, BODY)
    assert store.fetches == 0


def test_a_failed_first_fetch_is_retried_after_the_retry_interval() -> None:
    store, clock = SecretStore(document("one")), Clock()
    store.is_unavailable = True
    keyring = Keyring(store.fetch, clock)
    for _ in range(10):
        with pytest.raises(Unavailable):
            keyring.authenticate(signed_with("one"), BODY)
    assert store.fetches == 1
    store.is_unavailable = False
    clock.now += RETRY_INTERVAL
    keyring.authenticate(signed_with("one"), BODY)


def test_forged_events_cause_at_most_one_fetch_per_interval() -> None:
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


def test_cached_secrets_are_used_while_secrets_manager_is_unavailable() -> None:
    store, clock, keyring = keyring_with("one")
    store.is_unavailable = True
    clock.now += REFETCH_INTERVAL
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("forged"), BODY)
    keyring.authenticate(signed_with("one"), BODY)


def test_events_get_unavailable_until_a_secret_was_fetched() -> None:
    store = SecretStore(document("one"))
    store.is_unavailable = True
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
        '{"x_signature": [{"id": "1"}]}',
        '{"x_signature": {"secret": ""}}',
        '{"x_signature": {"secret": "1", "not_after": "2099"}}',
        '{"x_signature": {"secret": "1", "id": "a b"}}',
        '{"x_signature": {"secret": "1", "notafter": "2020-01-01T00:00:00Z"}}',
        '{"x_signature": "1", "paypal": "1"}',
        '{"x_signature": "1", "stripe": [""]}',
        '{"stripe": "1"}',
        '{"stripe": "1", "standard_webhooks": "1"}',
    ],
)
@pytest.mark.parametrize("forged_with", ["", "1", "None", "7"])
def test_a_missing_or_malformed_secret_refuses_everything(text: str | None, forged_with: str) -> None:
    with pytest.raises(Unauthenticated):
        keyring_of(text).authenticate(signed_with(forged_with), BODY)


def test_each_scheme_has_its_own_secrets() -> None:
    keyring = keyring_of(json.dumps({"x_signature": "one", "stripe": "two", "standard_webhooks": WHSEC}))
    assert keyring.authenticate(signed_with("one"), BODY) == ("x_signature", "1", None)
    assert keyring.authenticate(signed_with("two", "stripe"), BODY) == ("stripe", "1", None)
    assert keyring.authenticate(signed_with(WHSEC, "standard_webhooks"), BODY) == ("standard_webhooks", "1", "msg_1")
    for headers in (signed_with("two"), signed_with("one", "stripe")):
        with pytest.raises(InvalidSignature):
            keyring.authenticate(headers, BODY)


@pytest.mark.parametrize("scheme", ["x_signature", "stripe", "standard_webhooks"])
def test_three_secrets_of_a_scheme_are_live_at_the_same_time(scheme: Scheme) -> None:
    secrets = ["whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in range(3)]
    keyring = keyring_of(json.dumps({scheme: secrets}))
    for secret in secrets:
        keyring.authenticate(signed_with(secret, scheme), BODY)


@pytest.mark.parametrize("jump", [MAX_AGE, -1], ids=["frozen", "set back"])
def test_a_removed_secret_is_refused_after_a_jump_of_the_wall_clock(jump: float) -> None:
    store, wall = SecretStore(document("leaked")), [float(NOW)]
    keyring = Keyring(store.fetch, lambda: wall[0])
    keyring.authenticate(signed_with("leaked"), BODY)
    store.text = document("new")
    wall[0] += jump
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("leaked"), BODY)


def test_a_secret_expires_at_its_not_after() -> None:
    ends = {"secret": "old", "not_after": "2023-11-14T22:13:20Z"}
    wall = [NOW - 0.001]
    keyring = Keyring(lambda: json.dumps({"x_signature": [ends, "new"]}), clock=lambda: wall[0])
    keyring.authenticate(signed_with("old"), BODY)
    wall[0] = NOW
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("old"), BODY)
    keyring.authenticate(signed_with("new"), BODY)


@pytest.mark.parametrize(
    ("size", "is_valid"), [(0, False), (23, False), (24, True), (25, True), (64, True), (65, False), (66, False)]
)
def test_a_standard_webhooks_secret_has_24_to_64_bytes(size: int, is_valid: bool) -> None:  # noqa: FBT001  a test case
    whsec = "whsec_" + base64.b64encode(b"s" * size).decode()
    for text in (whsec, whsec.rstrip("=")):
        keyring = keyring_of(json.dumps({"standard_webhooks": text}))
        if is_valid:
            keyring.authenticate(signed_with(whsec, "standard_webhooks"), BODY)
        else:
            with pytest.raises(InvalidSignature):
                keyring.authenticate(signed_with(whsec, "standard_webhooks"), BODY)


@pytest.mark.parametrize(
    "text",
    [WHSEC.removeprefix("whsec_"), WHSEC + "!", WHSEC[:-1] + "é", f" {WHSEC}"],
    ids=["no prefix", "not base64", "not ASCII", "a leading space"],
)
def test_a_malformed_standard_webhooks_secret_is_not_accepted(text: str) -> None:
    with pytest.raises(InvalidSignature):
        keyring_of(json.dumps({"standard_webhooks": text})).authenticate(signed_with(WHSEC, "standard_webhooks"), BODY)


def test_an_authentic_event_names_the_key_that_matched() -> None:
    keyring = keyring_of(json.dumps({"x_signature": ["first", {"secret": "other", "id": "since-may"}]}))
    matched = [keyring.authenticate(signed_with(secret), BODY) for secret in ("first", "other")]
    assert [(event.scheme, event.key) for event in matched] == [("x_signature", "1"), ("x_signature", "since-may")]


def test_a_malformed_secret_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unauthenticated):
        Keyring(SecretStore('{"x_signature": ["hunter2", 7]}').fetch).authenticate(signed_with("x"), BODY)
    assert caplog.messages == ["The webhook secret is malformed. Correct its JSON in Secrets Manager."]
    assert "hunter2" not in str([vars(record) for record in caplog.records])
