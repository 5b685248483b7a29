"""The webhook's secrets, from Secrets Manager: cached, and fetched again when a signature does not match."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from storefront import settings
from storefront.errors import Unavailable
from storefront.log import logger
from storefront.payments.signatures import InvalidSignature, is_signed, signature_of

REFETCH_INTERVAL = 30.0
"""Seconds. A rotation is noticed at the first event that does not match; a flood of forged ones asks no more often."""

MAX_AGE = 300.0
"""Seconds. A secret that was taken away is refused after that, though every event matches the one that stays."""

RETRY_INTERVAL = 1.0
"""Seconds between two fetches while no secret is known yet."""

Secret = Annotated[str, Field(min_length=1)]


class SecretDocument(BaseModel):
    """The secret's JSON: one key for X-Signature, or up to three that are live at a time."""

    x_signature: Secret | Annotated[list[Secret], Field(max_length=3)] = []

    def keys(self) -> tuple[bytes, ...]:
        values = [self.x_signature] if isinstance(self.x_signature, str) else self.x_signature
        return tuple(value.encode() for value in values)


class Keyring:
    """The live secrets of one execution environment. fetch: gives the secret's text, or None where there is none."""

    def __init__(self, fetch: Callable[[], str | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[bytes, ...] | None = None
        self._fetched_at = float("-inf")

    def authenticate(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise Unauthenticated unless the body is signed with a live secret, fetched again first where need be.

        Raises Unavailable where no secret is known yet and Secrets Manager does not answer.
        """
        # First, so that what has no signature to check asks nothing of Secrets Manager.
        signature = signature_of(headers)
        known = self._keys_no_older_than(RETRY_INTERVAL if self._keys is None else MAX_AGE)
        if is_signed(body, signature, known):
            return
        if not is_signed(body, signature, self._keys_no_older_than(REFETCH_INTERVAL)):
            raise InvalidSignature

    def _keys_no_older_than(self, seconds: float) -> tuple[bytes, ...]:
        now = self._clock()
        if now - self._fetched_at >= seconds:
            self._fetched_at = now
            self._refresh()
        if self._keys is None:
            raise Unavailable("The webhook's secret cannot be fetched.")
        return self._keys

    def _refresh(self) -> None:
        try:
            text = self._fetch()
        except Exception as error:  # noqa: BLE001  boto3 has no common base for all that it raises
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
            self._keys = self._keys or ()


def fetch_secret() -> str | None:
    """The configured secret's text from Secrets Manager; None where none is configured or none is there."""
    secret_id = settings.webhook_secret_id()
    if not secret_id:
        return None
    import boto3  # noqa: PLC0415  half a second that only the first event should pay
    from botocore.config import Config  # noqa: PLC0415  with boto3

    client = boto3.client(
        "secretsmanager",
        endpoint_url=settings.secrets_manager_endpoint(),
        config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}),
    )
    try:
        text: str = client.get_secret_value(SecretId=secret_id)["SecretString"]
    except client.exceptions.ResourceNotFoundException:
        return None
    return text
