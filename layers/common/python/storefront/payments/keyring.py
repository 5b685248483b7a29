"""The webhook's secrets, from Secrets Manager: cached, and fetched again when a signature does not match."""

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
"""Seconds. A rotation is noticed at the first event that does not match; a flood of forged ones asks no more often."""

MAX_AGE = 300.0
"""Seconds. A secret that was taken away is refused after that, though every event matches the one that stays."""

RETRY_INTERVAL = 1.0
"""Seconds between two fetches while no secret is known yet."""

WHSEC_BYTES = range(24, 65)
"""How long a Standard Webhooks secret may be."""


class Key(NamedTuple):
    """A live secret. id: what the log calls it; not_after: seconds since 1970."""

    scheme: Scheme
    id: str
    secret: bytes
    not_after: float


class AuthenticEvent(NamedTuple):
    """What a signature proves of an event. key: the id of the secret that made it."""

    scheme: Scheme
    key: str
    webhook_id: str | None


def _whsec(value: Any) -> bytes:
    text = value.removeprefix("whsec_") if isinstance(value, str) else ""
    try:
        # Some leave the padding out.
        secret = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        secret = b""
    if text == value or len(secret) not in WHSEC_BYTES:
        raise PydanticCustomError("whsec", "Should be whsec_ and the base64 of 24 to 64 bytes")
    return secret


def _entries(value: Any) -> list[Any]:
    listed = value if isinstance(value, list) else [value]
    return [{"secret": one} if isinstance(one, str) else one for one in listed]


class Entry(BaseModel):
    """A secret, what the log is to call it, and when it ends."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[bytes, Field(min_length=1)]
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    not_after: Timestamp | None = None

    def key(self, scheme: Scheme, place: int) -> Key:
        not_after = self.not_after.timestamp() if self.not_after else float("inf")
        return Key(scheme, self.id or str(place), self.secret, not_after)


class WhsecEntry(Entry):
    secret: Annotated[bytes, BeforeValidator(_whsec)]


class SecretDocument(BaseModel):
    """The secret's JSON: for each scheme a secret, or up to three that are live at a time."""

    model_config = ConfigDict(extra="forbid")

    x_signature: Annotated[list[Entry], BeforeValidator(_entries), Field(max_length=3)] = []
    standard_webhooks: Annotated[list[WhsecEntry], BeforeValidator(_entries), Field(max_length=3)] = []
    stripe: Annotated[list[Entry], BeforeValidator(_entries), Field(max_length=3)] = []

    def keys(self) -> list[Key]:
        entries: dict[Scheme, Sequence[Entry]] = {
            "x_signature": self.x_signature,
            "standard_webhooks": self.standard_webhooks,
            "stripe": self.stripe,
        }
        return [one.key(scheme, place) for scheme, some in entries.items() for place, one in enumerate(some, 1)]


class Keyring:
    """The live secrets of one execution environment. fetch: gives the secret's text, or None where there is none."""

    def __init__(
        self,
        fetch: Callable[[], str | None],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._wall_clock = wall_clock
        self._keys: list[Key] | None = None
        self._fetched_at = float("-inf")

    def authenticate(self, headers: Mapping[str, str], body: bytes) -> AuthenticEvent:
        """Raise Unauthenticated unless the body is signed with a live secret, fetched again first where need be.

        Raises Unavailable where no secret is known yet and Secrets Manager does not answer.
        """
        now = self._wall_clock()
        # First, so that what has no signature to check asks nothing of Secrets Manager.
        claim = claim_of(headers, body, now)
        known = self._keys_no_older_than(RETRY_INTERVAL if self._keys is None else MAX_AGE)
        key = _signer(claim, known, now) or _signer(claim, self._keys_no_older_than(REFETCH_INTERVAL), now)
        if key is None:
            raise InvalidSignature(f"signed with no live secret of {claim.scheme}")
        return AuthenticEvent(key.scheme, key.id, claim.webhook_id)

    def _keys_no_older_than(self, seconds: float) -> list[Key]:
        now = self._clock()
        if now - self._fetched_at >= seconds:
            self._fetched_at = now
            self._refresh()
        if self._keys is None:
            raise Unavailable("The webhook secret could not be fetched.")
        return self._keys

    def _refresh(self) -> None:
        try:
            text = self._fetch()
        except Exception as error:  # noqa: BLE001  whatever a fetch raises
            # The keys at hand stay good; without any, only a retry can tell.
            logger.warning("the webhook's secret could not be fetched", cause=repr(error))
            return
        try:
            self._keys = SecretDocument.model_validate_json(text or "{}").keys()
        except ValidationError as error:
            # Its types only: the error's text quotes the secret.
            causes = [one["type"] for one in error.errors()]
            logger.error("the webhook's secret is malformed", cause=causes)
            # A slip in a rotation does not lock the processor out; where nothing was known, nothing is authentic.
            self._keys = self._keys or []


def _signer(claim: Claim, keys: list[Key], now: float) -> Key | None:
    # Each live key of the scheme is tried, whichever matches.
    live = [key for key in keys if key.scheme == claim.scheme and now < key.not_after]
    return next(iter([key for key in live if is_signed(claim, key.secret)]), None)
