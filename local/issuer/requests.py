"""Read the requests of OAuth clients: parameters, and what an authorization request asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl

from local.settings import CONSOLE_SCOPE

MAX_LENGTH = 16 * 1024
"""Bytes of a query string or a form."""

_MAX_PARAMETERS = 40
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PROMPTS = {"none", "login", "consent", "select_account"}
_KNOWN_SCOPES = CONSOLE_SCOPE.split()


class OAuthError(Exception):
    """The request is refused, with an error code of RFC 6749 or OpenID Connect."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def parameters(encoded: bytes) -> dict[str, str]:
    """Read the parameters of a query string or a form. An empty one counts as omitted. Raises OAuthError.

    RFC 6749, section 3.1: no parameter may be repeated.
    """
    if len(encoded) > MAX_LENGTH:
        raise OAuthError("invalid_request", "The request is too long")
    try:
        pairs = parse_qsl(encoded.decode("ascii"), errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise OAuthError("invalid_request", "The parameters are not encoded as UTF-8, or there are too many") from error
    values = dict(pairs)
    if len(values) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is repeated")
    if not all(text.isprintable() for pair in pairs for text in pair):
        raise OAuthError("invalid_request", "A parameter has control characters")
    return values


def required(values: Mapping[str, str], name: str) -> str:
    """Return a parameter. Raises OAuthError."""
    if name not in values:
        raise OAuthError("invalid_request", f"The parameter {name} is missing")
    return values[name]


@dataclass(frozen=True)
class AuthorizationRequest:
    """What a client asks for.

    challenge: of PKCE, with the method S256 (RFC 7636).
    prompt: how the client wants the user to be asked.
    """

    redirect_uri: str
    scopes: list[str]
    challenge: str
    nonce: str | None
    prompt: frozenset[str]

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read the request of a known client with a known redirect URI. Raises OAuthError."""
        if required(values, "response_type") != "code":
            raise OAuthError("unsupported_response_type", "The response_type must be code")
        if values.get("response_mode", "query") != "query":
            raise OAuthError("invalid_request", "The response_mode must be query")
        for name in {"request", "request_uri"} & values.keys():
            raise OAuthError(f"{name}_not_supported", f"The parameter {name} is not supported")
        return cls(
            redirect_uri=values["redirect_uri"],
            scopes=_scopes(values),
            challenge=_challenge(values),
            nonce=values.get("nonce"),
            prompt=_prompt(values),
        )


def _scopes(values: Mapping[str, str]) -> list[str]:
    requested = required(values, "scope").split(" ")
    scopes = [scope for scope in _KNOWN_SCOPES if scope in requested]
    if not scopes:
        raise OAuthError("invalid_scope", f"The known scopes are {CONSOLE_SCOPE}")
    return scopes


def _challenge(values: Mapping[str, str]) -> str:
    challenge = required(values, "code_challenge")
    if values.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "The code_challenge must be a SHA-256 hash, with the method S256")
    return challenge


def _prompt(values: Mapping[str, str]) -> frozenset[str]:
    prompt = frozenset(values.get("prompt", "").split())
    if not prompt <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise OAuthError("invalid_request", "The prompt is invalid")
    return prompt
