"""Signs for the function's own role: a token to sign in to RDS with, and the headers of a request to AWS.

A token is a presigned request that is never sent: it is made here, without a call. Written out, since whatever could
make it costs every cold start more than connecting does (docs/decisions/0008-iam-tokens.md).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

LIFETIME = 900
"""Seconds in which a connection can be opened with it; RDS takes no longer one."""

CREDENTIALS_TIMEOUT = 2.0
"""Seconds for Lambda's own endpoint, which is on the same machine."""

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """The keys of a role."""

    access_key: str
    secret_key: str
    session_token: str

    def __repr__(self) -> str:
        # For whatever quotes its variables.
        return "Credentials(…)"


class ServiceRequest(NamedTuple):
    """A request to a service of AWS's. action: with what is before the dot, as in "secretsmanager.GetSecretValue"."""

    service: str
    host: str
    action: str
    body: str


def token(address: str, user: str, region: str, credentials: Credentials, now: datetime) -> str:
    """What a user of PostgreSQL signs in with at host:port, for fifteen minutes from now (UTC)."""
    time, scope = _time(now), _scope(now, region, "rds-db")
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(LIFETIME),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        query["X-Amz-Security-Token"] = credentials.session_token
    request = f"GET\n/\n{_encoded(dict(sorted(query.items())))}\nhost:{address}\n\nhost\n{_sha256('')}"
    return f"{address}/?{_encoded(query)}&X-Amz-Signature={_signature(credentials, time, scope, request)}"


def headers(request: ServiceRequest, region: str, credentials: Credentials, now: datetime) -> dict[str, str]:
    """The headers of a request to a service of AWS's that speaks JSON 1.1, signed now (UTC).

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    """
    time, scope = _time(now), _scope(now, region, request.service)
    signed = {
        "content-type": "application/x-amz-json-1.1",
        "host": request.host,
        "x-amz-date": time,
        **({"x-amz-security-token": credentials.session_token} if credentials.session_token else {}),
        "x-amz-target": request.action,
    }
    listed = "".join(f"{name}:{value}\n" for name, value in signed.items())
    content = f"POST\n/\n\n{listed}\n{';'.join(signed)}\n{_sha256(request.body)}"
    authorization = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={';'.join(signed)}, "
        f"Signature={_signature(credentials, time, scope, content)}"
    )
    return {**signed, "authorization": authorization}


def own_headers(request: ServiceRequest) -> dict[str, str]:
    """The same for the function's own role and region. Raises OSError where Lambda does not tell its keys."""
    return headers(request, os.environ["AWS_REGION"], own_credentials(), datetime.now(UTC))


def own_token(address: str, user: str) -> str:
    """The same for the function's own role, now. Raises OSError where Lambda does not tell its keys."""
    return token(address, user, os.environ["AWS_REGION"], own_credentials(), datetime.now(UTC))


def own_credentials() -> Credentials:
    """The keys of the function's role. Raises OSError.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html: a snapshot has none in its environment.
    """
    if endpoint := os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return _fetched(endpoint, os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return Credentials(*(os.environ.get(name, "") for name in names))


def _fetched(endpoint: str, authorization: str) -> Credentials:
    import http.client  # noqa: PLC0415  nobody but a snapshot pays for it

    address = urlsplit(endpoint)
    connection = http.client.HTTPConnection(address.netloc, timeout=CREDENTIALS_TIMEOUT)
    try:
        connection.request("GET", address.path, headers={"Authorization": authorization})
        response = connection.getresponse()
        found = json.loads(response.read())
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
    except (http.client.HTTPException, ValueError, KeyError, TypeError):
        # Without the cause, which may quote the keys.
        raise OSError("Lambda did not tell the function's keys") from None
    finally:
        connection.close()


def _time(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")


def _scope(now: datetime, region: str, service: str) -> str:
    return f"{now.strftime('%Y%m%d')}/{region}/{service}/aws4_request"


def _signature(credentials: Credentials, time: str, scope: str, request: str) -> str:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"{_ALGORITHM}\n{time}\n{scope}\n{_sha256(request)}".encode(), "sha256").hex()


def _encoded(query: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='-._~')}" for name, value in query.items())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
