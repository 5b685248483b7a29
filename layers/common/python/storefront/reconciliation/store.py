"""The database calls of the reconciliation routes. Each returns the JSON text of the response."""

import json
from typing import Any

from storefront import db, settings
from storefront.actor import Actor
from storefront.errors import Problem
from storefront.idempotency.keys import IdempotentResponse, call_once


class ReconciliationEntryNotFound(Problem):
    """The reconciliation does not list this entry. It may have ended by itself."""

    status, kind, title = 404, "reconciliation-entry-not-found", "Reconciliation entry not found"

    def __init__(self, kind: str, entry_id: str) -> None:
        super().__init__(f"Reconciliation entry {kind} {entry_id} not found. It may have ended by itself.")


class AlreadyAcknowledged(Problem):
    """Staff acknowledged this entry before, and no money moved since then."""

    status, kind, title = 409, "already-acknowledged", "Already acknowledged"
    default_detail = "This entry was acknowledged before. The list with acknowledged=true shows by whom, and why."


def list_page(request: dict[str, Any]) -> str:
    return db.call("list_reconciliation", json.dumps({**request, **_days()}), repeatable=True)[1]


def acknowledge(kind: str, entry_id: str, note: str, actor: Actor, key: str | None) -> IdempotentResponse:
    """Dismiss an entry, until money of its order moves again.

    Raises ReconciliationEntryNotFound or AlreadyAcknowledged.
    """
    response = call_once("acknowledge_mismatch", {"kind": kind, "id": entry_id, "note": note}, actor, key, **_days())
    if response.outcome == "unknown_entry":
        raise ReconciliationEntryNotFound(kind, entry_id)
    if response.outcome == "already_acknowledged":
        raise AlreadyAcknowledged
    return response


def _days() -> dict[str, int]:
    return {
        "payment_pending_days": settings.payment_pending_days(),
        "refund_pending_days": settings.refund_pending_days(),
    }
