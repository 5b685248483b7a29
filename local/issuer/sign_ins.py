"""Who is signed in: sessions, authorization codes and refresh tokens. They end with the process."""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from local.issuer.requests import AuthorizationRequest, OAuthError

OPENID = "openid"

USERS = {
    "manager": ("catalog:write", "orders:all", "orders:read", "orders:manage"),
    "orders": ("orders:all", "orders:read", "orders:manage"),
}
"""The scopes of each test user."""

CODE_LIFETIME = 60.0
SESSION_LIFETIME = REFRESH_LIFETIME = 12 * 3600.0
"""Seconds: a working day."""


@dataclass(frozen=True)
class Grant:
    """What a user lets the console do."""

    user: str
    scopes: list[str]
    nonce: str | None


@dataclass(frozen=True)
class _Session:
    user: str
    expires_at: float


@dataclass(frozen=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    expires_at: float


@dataclass(frozen=True)
class _Family:
    """The refresh tokens of one sign-in. Only the newest is valid."""

    grant: Grant
    newest: str
    expires_at: float


class SignIns:
    """The sign-ins of one issuer. Several threads can use it.

    A code and the refresh tokens that follow from it start with the same ID. So a code or a refresh token that is used
    twice, which may be stolen, ends the sign-in (RFC 9700, section 4.14.2).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._sessions: dict[str, _Session] = {}
        self._codes: dict[str, _Code] = {}
        self._families: dict[str, _Family] = {}

    def start_session(self, user: str) -> str:
        """Sign a user in, and return the session's secret."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._remove_expired()
            self._sessions[secret] = _Session(user, self._clock() + SESSION_LIFETIME)
        return secret

    def user(self, session: str | None) -> str | None:
        """Return the user of a session, or None if nobody is signed in."""
        found = self._sessions.get(session or "")
        return found.user if found and self._clock() < found.expires_at else None

    def end_session(self, session: str | None) -> None:
        """Sign the user of a session out."""
        with self._lock:
            self._sessions.pop(session or "", None)

    def new_code(self, user: str, request: AuthorizationRequest) -> str:
        """Return a code for those requested scopes that the user may have. Raises OAuthError."""
        scopes = [scope for scope in request.scopes if scope in (OPENID, *USERS[user])]
        if not scopes:
            raise OAuthError("access_denied", f"The user {user} has none of these scopes")
        grant = Grant(user, scopes, request.nonce)
        code = f"{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}"
        with self._lock:
            self._remove_expired()
            self._codes[code] = _Code(grant, request.redirect_uri, request.challenge, self._clock() + CODE_LIFETIME)
        return code

    def redeem(self, code: str, redirect_uri: str, verifier: str) -> tuple[Grant, str]:
        """Return what a code grants, and the first refresh token. Raises OAuthError."""
        with self._lock:
            found = self._codes.pop(code, None)
            if found is None:
                self._families.pop(_sign_in(code), None)
                raise OAuthError("invalid_grant", "The code is unknown, expired or was used before")
            if self._clock() >= found.expires_at:
                raise OAuthError("invalid_grant", "The code is expired")
            if redirect_uri != found.redirect_uri:
                raise OAuthError("invalid_grant", "The redirect_uri is not that of the authorization request")
            if not _is_same(challenge_of(verifier), found.challenge):
                raise OAuthError("invalid_grant", "The code_verifier does not match the code_challenge")
            return found.grant, self._next(_sign_in(code), found.grant, self._clock() + REFRESH_LIFETIME)

    def refresh(self, token: str) -> tuple[Grant, str]:
        """Return what a refresh token grants, and the next refresh token. Raises OAuthError."""
        with self._lock:
            family = self._families.pop(_sign_in(token), None)
            if family is None or self._clock() >= family.expires_at or not _is_same(token, family.newest):
                raise OAuthError("invalid_grant", "The refresh token is unknown, expired, revoked or was used before")
            return family.grant, self._next(_sign_in(token), family.grant, family.expires_at)

    def revoke(self, token: str) -> None:
        """Revoke a refresh token, and all others of the same sign-in."""
        with self._lock:
            self._families.pop(_sign_in(token), None)

    def _next(self, sign_in: str, grant: Grant, expires_at: float) -> str:
        token = f"{sign_in}.{secrets.token_urlsafe(32)}"
        self._families[sign_in] = _Family(grant, token, expires_at)
        return token

    def _remove_expired(self) -> None:
        now = self._clock()
        self._sessions = {key: one for key, one in self._sessions.items() if now < one.expires_at}
        self._codes = {key: one for key, one in self._codes.items() if now < one.expires_at}
        self._families = {key: one for key, one in self._families.items() if now < one.expires_at}


def challenge_of(verifier: str) -> str:
    """Return the code challenge of PKCE's method S256 (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _sign_in(token: str) -> str:
    return token.partition(".")[0]


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
