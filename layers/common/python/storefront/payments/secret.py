"""The webhook's secret, fetched from Secrets Manager with one signed request.

This module does not use boto3. boto3 would delay the first payment event of each process by 0.4 s, and keep 30 MiB of
its memory.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

import json
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from storefront import settings
from storefront.iam import ServiceRequest, headers_of_role
from storefront.sockets import open_url

TIMEOUT = 2.0
"""Seconds for the whole of an attempt. Two attempts must fit into the function's timeout."""

# Secrets Manager sends InvalidRequestException for a secret that is scheduled for deletion.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
_NOT_THERE = ("ResourceNotFoundException", "InvalidRequestException")


def fetch_secret() -> str | None:
    """Return the secret's text, or None if it is not configured or does not exist. Raises OSError or HTTPException."""
    secret_id = settings.webhook_secret_id()
    if not secret_id:
        return None
    try:
        return _fetch(secret_id)
    except (OSError, HTTPException):
        # Try again now, because a processor may wait minutes before it retries.
        return _fetch(secret_id)


def _fetch(secret_id: str) -> str | None:
    status, response_body = _call("secretsmanager.GetSecretValue", json.dumps({"SecretId": secret_id}))
    if status == HTTPStatus.OK and isinstance(response_body.get("SecretString"), str):
        return str(response_body["SecretString"])
    # Some services put a namespace in front of the type.
    error = str(response_body.get("__type", "")).rpartition("#")[2]
    if error in _NOT_THERE:
        return None
    raise OSError(f"Secrets Manager responded with {status} {error}")


def _call(action: str, body: str) -> tuple[int, dict[str, Any]]:
    address = urlsplit(settings.secrets_manager_endpoint())
    request = ServiceRequest("secretsmanager", address.netloc, action, body)
    with closing(HTTPConnection(address.netloc)) as connection:
        connection.sock = open_url(address, TIMEOUT)
        connection.request("POST", "/", body, headers_of_role(request))
        response = connection.getresponse()
        try:
            response_body = json.loads(response.read())
        except ValueError:
            response_body = None
    return response.status, response_body if isinstance(response_body, dict) else {}
