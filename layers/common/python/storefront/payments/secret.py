"""The webhook's secret, out of Secrets Manager by one signed request.

Written out for the reason that iam.py gives: AWS's own library takes 0.4 s of the first payment that a process is told
of, and 30 MiB of its memory for as long as it lives.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

import json
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from storefront import settings
from storefront.iam import ServiceRequest, own_headers

TIMEOUT = 2.0
"""Seconds for each step of a try. Two of them have to end before the function does."""

# The second is what one that is marked for deletion gets, for a week at least: it was taken away on purpose.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
_NOT_THERE = ("ResourceNotFoundException", "InvalidRequestException")


def fetch_secret() -> str | None:
    """The configured secret's text; None where none is configured or none is there. Raises OSError or HTTPException."""
    secret_id = settings.webhook_secret_id()
    if not secret_id:
        return None
    try:
        return _fetch(secret_id)
    except (OSError, HTTPException):
        # Once more: a processor that is told to try again may take minutes to.
        return _fetch(secret_id)


def _fetch(secret_id: str) -> str | None:
    status, answer = _call("secretsmanager.GetSecretValue", json.dumps({"SecretId": secret_id}))
    if status == HTTPStatus.OK and isinstance(answer.get("SecretString"), str):
        return str(answer["SecretString"])
    # Some services put a namespace before it.
    error = str(answer.get("__type", "")).rpartition("#")[2]
    if error in _NOT_THERE:
        return None
    raise OSError(f"Secrets Manager answered {status} {error}")


def _call(action: str, body: str) -> tuple[int, dict[str, Any]]:
    address = urlsplit(settings.secrets_manager_endpoint())
    request = ServiceRequest("secretsmanager", address.netloc, action, body)
    kind = HTTPConnection if address.scheme == "http" else HTTPSConnection
    with closing(kind(address.netloc, timeout=TIMEOUT)) as connection:
        connection.request("POST", "/", body, own_headers(request))
        response = connection.getresponse()
        try:
            answer = json.loads(response.read())
        except ValueError:
            answer = None
    return response.status, answer if isinstance(answer, dict) else {}
