"""The webhook's secrets, cached from Secrets Manager and fetched again when a signature does not match."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from storefront.errors import Unavailable
from storefront.fields import Timestamp
from storefront.log import logger
from storefront.payments.signatures import Claim, InvalidSignature, Scheme, claim_of, is_signed

REFETCH_INTERVAL = 30.0
"""Seconds. An event with a new secret triggers a fetch. Forged events cannot trigger fetches more often."""

MAX_AGE = 300.0
"""Seconds. After this time, a removed secret is refused, even if every event matches a cached secret."""

RETRY_INTERVAL = 1.0
"""Seconds between two fetches while no secret is known."""

WHSEC_BYTES = range(24, 65)
"""The allowed length of a Standard Webhooks secret, in bytes."""


class Key(NamedTuple):
    """A valid secret. id: its name in the log. not_after: seconds since 1970."""

    scheme: Scheme
    id: str
    secret: bytes
    not_after: float


class AuthenticEvent(NamedTuple):
    """The result of a signature check. key: the ID of the secret that signed the event."""

    scheme: Scheme
    key: str
    webhook_id: str | None


def _whsec(value: Any) -> bytes:
    text = value.removeprefix("whsec_") if isinstance(value, str) else ""
    try:
        # Some tools omit the padding.
        secret = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        secret = b""
    if text == value or len(secret) not in WHSEC_BYTES:
        raise PydanticCustomError("whsec", "Input should be whsec_ followed by 24 to 64 bytes in base64")
    return secret


def _entries(value: Any) -> list[Any]:
    entries = value if isinstance(value, list) else [value]
    return [{"secret": entry} if isinstance(entry, str) else entry for entry in entries]


class Entry(BaseModel):
    """A secret, its name in the log, and when it expires."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[bytes, Field(min_length=1)]
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    not_after: Timestamp | None = None

    def key(self, scheme: Scheme, number: int) -> Key:
        not_after = self.not_after.timestamp() if self.not_after else float("inf")
        return Key(scheme, self.id or str(number), self.secret, not_after)


class WhsecEntry(Entry):
    secret: Annotated[bytes, BeforeValidator(_whsec)]


class SecretDocument(BaseModel):
    """The JSON of the secret: up to three valid secrets for each scheme."""

    model_config = ConfigDict(extra="forbid")

    x_signature: Annotated[list[Entry], BeforeValidator(_entries), Field(max_length=3)] = []
    standard_webhooks: Annotated[list[WhsecEntry], BeforeValidator(_entries), Field(max_length=3)] = []
    stripe: Annotated[list[Entry], BeforeValidator(_entries), Field(max_length=3)] = []

    def keys(self) -> list[Key]:
        entries_by_scheme: dict[Scheme, Sequence[Entry]] = {
            "x_signature": self.x_signature,
            "standard_webhooks": self.standard_webhooks,
            "stripe": self.stripe,
        }
        return [
            entry.key(scheme, number)
            for scheme, entries in entries_by_scheme.items()
            for number, entry in enumerate(entries, 1)
        ]


class Keyring:
    """The valid secrets of an execution environment.

    fetch: returns the secret's text, or None without a secret. clock: the wall clock, because the monotonic clock may
    stand still while Lambda freezes the process.
    """

    def __init__(self, fetch: Callable[[], str | None], clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: list[Key] | None = None
        self._fetched_at = float("-inf")

    def authenticate(self, headers: Mapping[str, str], body: bytes) -> AuthenticEvent:
        """Check that the body is signed with a valid secret. Fetch the secrets again if none matches.

        Raises Unauthenticated, or Unavailable if no secret is known and Secrets Manager does not respond.
        """
        now = self._clock()
        # Read the headers first, so that a request without a valid header never causes a fetch.
        claim = claim_of(headers, body, now)
        keys = self._keys_no_older_than(RETRY_INTERVAL if self._keys is None else MAX_AGE)
        key = _signer(claim, keys, now) or _signer(claim, self._keys_no_older_than(REFETCH_INTERVAL), now)
        if key is None:
            raise InvalidSignature(f"no valid {claim.scheme} secret matches the signature")
        return AuthenticEvent(key.scheme, key.id, claim.webhook_id)

    def _keys_no_older_than(self, seconds: float) -> list[Key]:
        now = self._clock()
        # If the clock was set back, the age is unknown.
        if not 0 <= now - self._fetched_at < seconds:
            self._fetched_at = now
            self._refresh()
        if self._keys is None:
            raise Unavailable("The webhook secret could not be fetched.")
        return self._keys

    def _refresh(self) -> None:
        try:
            text = self._fetch()
        except Exception as error:  # noqa: BLE001  whatever a fetch raises
            # The cached keys stay valid. Without any, the request fails and the processor retries.
            logger.warning("The webhook secret could not be fetched from Secrets Manager.", cause=repr(error))
            return
        try:
            self._keys = SecretDocument.model_validate_json(text or "{}").keys()
        except ValidationError as error:
            # Only the types, because the messages quote the secret.
            causes = [one["type"] for one in error.errors()]
            logger.error("The webhook secret is malformed. Correct its JSON in Secrets Manager.", cause=causes)
            # A mistake in a rotation must not lock the processor out. Without cached keys, every event is refused.
            self._keys = self._keys or []


def _signer(claim: Claim, keys: list[Key], now: float) -> Key | None:
    # Try every valid key, so that the time does not depend on which one matches.
    valid = [key for key in keys if key.scheme == claim.scheme and now < key.not_after]
    return next(iter([key for key in valid if is_signed(claim, key.secret)]), None)
