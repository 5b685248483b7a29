"""Signatures of the function's role: tokens for RDS, and headers of requests to AWS (Signature Version 4).

A token is a presigned request that is never sent, so creating one needs no network call. This module does not use
boto3, because importing boto3 takes longer than connecting (docs/decisions/0008-iam-tokens.md).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from storefront.sockets import open_url

LIFETIME = 900
"""Seconds in which a token can open a connection. RDS accepts no longer lifetime."""

CREDENTIALS_TIMEOUT = 2.0
"""Seconds for the whole request. Lambda's credentials endpoint is on the same machine."""

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """The credentials of a role."""

    access_key: str
    secret_key: str
    session_token: str

    def __repr__(self) -> str:
        # Keeps the keys out of tracebacks and logs.
        return "Credentials(…)"


class ServiceRequest(NamedTuple):
    """A request to an AWS service. action: with its prefix, as in "secretsmanager.GetSecretValue"."""

    service: str
    host: str
    action: str
    body: str


def token(address: str, user: str, region: str, credentials: Credentials, now: datetime) -> str:
    """Return a token with which a PostgreSQL user signs in within 15 minutes. address: host:port. now: in UTC."""
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
    """Return the signed headers of a request to an AWS service with the JSON 1.1 protocol. now: in UTC.

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


def headers_of_role(request: ServiceRequest) -> dict[str, str]:
    """Return headers() for the function's role, region and the current time. Raises OSError."""
    return headers(request, os.environ["AWS_REGION"], role_credentials(), datetime.now(UTC))


def token_of_role(address: str, user: str) -> str:
    """Return token() for the function's role, region and the current time. Raises OSError."""
    return token(address, user, os.environ["AWS_REGION"], role_credentials(), datetime.now(UTC))


def role_credentials() -> Credentials:
    """Return the credentials of the function's role. Raises OSError if Lambda does not provide them.

    With SnapStart, they come from an endpoint instead of the environment variables.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
    """
    if endpoint := os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return _fetch_credentials(endpoint, os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return Credentials(*(os.environ.get(name, "") for name in names))


def _fetch_credentials(endpoint: str, authorization: str) -> Credentials:
    import http.client  # noqa: PLC0415  only SnapStart needs it

    address = urlsplit(endpoint)
    connection = http.client.HTTPConnection(address.netloc)
    connection.sock = open_url(address, CREDENTIALS_TIMEOUT)
    try:
        connection.request("GET", address.path, headers={"Authorization": authorization})
        response = connection.getresponse()
        keys = json.loads(response.read())
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
    except (http.client.HTTPException, ValueError, KeyError, TypeError):
        # Without the cause, which may quote the keys.
        raise OSError("Lambda's credentials endpoint sent no valid credentials") from None
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
