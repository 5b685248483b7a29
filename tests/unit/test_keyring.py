"""The webhook's secrets: cached, rotated without a deployment, and failing closed."""

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


def signed_with(secret: str, scheme: Scheme = "x_signature") -> dict[str, str]:
    return sign(scheme, [secret], BODY, "msg_1", NOW)


def keyring_of(text: str | None) -> Keyring:
    """A keyring at the moment of the signatures, whose secret is that text."""
    return Keyring(SecretStore(text).fetch, wall_clock=lambda: NOW)


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
def test_a_secret_that_is_missing_or_malformed_refuses_everything(text: str | None, forged_with: str) -> None:
    with pytest.raises(Unauthenticated):
        keyring_of(text).authenticate(signed_with(forged_with), BODY)


def test_each_scheme_has_secrets_of_its_own() -> None:
    keyring = keyring_of(json.dumps({"x_signature": "one", "stripe": "two", "standard_webhooks": WHSEC}))
    assert keyring.authenticate(signed_with("one"), BODY) == ("x_signature", "1", None)
    assert keyring.authenticate(signed_with("two", "stripe"), BODY) == ("stripe", "1", None)
    assert keyring.authenticate(signed_with(WHSEC, "standard_webhooks"), BODY) == ("standard_webhooks", "1", "msg_1")
    for headers in (signed_with("two"), signed_with("one", "stripe")):
        with pytest.raises(InvalidSignature):
            keyring.authenticate(headers, BODY)


@pytest.mark.parametrize("scheme", ["x_signature", "stripe", "standard_webhooks"])
def test_three_secrets_of_a_scheme_are_live_at_a_time(scheme: Scheme) -> None:
    secrets = ["whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in range(3)]
    keyring = keyring_of(json.dumps({scheme: secrets}))
    for secret in secrets:
        keyring.authenticate(signed_with(secret, scheme), BODY)


def test_a_secret_ends_at_its_not_after() -> None:
    ends = {"secret": "old", "not_after": "2023-11-14T22:13:20Z"}
    wall = [NOW - 0.001]
    keyring = Keyring(lambda: json.dumps({"x_signature": [ends, "new"]}), wall_clock=lambda: wall[0])
    keyring.authenticate(signed_with("old"), BODY)
    wall[0] = NOW
    with pytest.raises(InvalidSignature):
        keyring.authenticate(signed_with("old"), BODY)
    keyring.authenticate(signed_with("new"), BODY)


@pytest.mark.parametrize(
    ("size", "is_taken"), [(0, False), (23, False), (24, True), (25, True), (64, True), (65, False), (66, False)]
)
def test_a_standard_webhooks_secret_has_24_to_64_bytes(size: int, is_taken: bool) -> None:  # noqa: FBT001  a case's
    whsec = "whsec_" + base64.b64encode(b"s" * size).decode()
    for text in (whsec, whsec.rstrip("=")):
        keyring = keyring_of(json.dumps({"standard_webhooks": text}))
        if is_taken:
            keyring.authenticate(signed_with(whsec, "standard_webhooks"), BODY)
        else:
            with pytest.raises(InvalidSignature):
                keyring.authenticate(signed_with(whsec, "standard_webhooks"), BODY)


@pytest.mark.parametrize("text", [WHSEC.removeprefix("whsec_"), WHSEC + "!", WHSEC[:-1] + "é", f" {WHSEC}"])
def test_a_standard_webhooks_secret_in_another_form_is_none(text: str) -> None:
    with pytest.raises(InvalidSignature):
        keyring_of(json.dumps({"standard_webhooks": text})).authenticate(signed_with(WHSEC, "standard_webhooks"), BODY)


def test_an_authentic_event_says_which_key_matched() -> None:
    keyring = keyring_of(json.dumps({"x_signature": ["first", {"secret": "other", "id": "since-may"}]}))
    matched = [keyring.authenticate(signed_with(secret), BODY) for secret in ("first", "other")]
    assert [(event.scheme, event.key) for event in matched] == [("x_signature", "1"), ("x_signature", "since-may")]


def test_a_malformed_secret_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unauthenticated):
        Keyring(SecretStore('{"x_signature": ["hunter2", 7]}').fetch).authenticate(signed_with("x"), BODY)
    assert caplog.messages == ["the webhook's secret is malformed"]
    assert "hunter2" not in str([vars(record) for record in caplog.records])
