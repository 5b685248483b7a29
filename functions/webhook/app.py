"""The payment webhook: what the processor calls."""

import hashlib
import json

from storefront.http import create_app, entry_point, json_response, parse_json, raw_body, remark
from storefront.origin import origin
from storefront.payments import store
from storefront.payments.keyring import Keyring, fetch_secret
from storefront.payments.models import PaymentEvent
from storefront.powertools import Response

app = create_app()
keyring = Keyring(fetch_secret)


@app.post("/api/payment-webhook")
def receive_payment_event() -> Response[str]:
    body = raw_body(app.current_event)
    # Before anything of the body is looked at: what is not authentic gets no further. The headers as they came, since
    # Powertools' own mapping hides one that came twice.
    keyring.authenticate(app.current_event.get("headers") or {}, body)
    event = parse_json(app.current_event, PaymentEvent, body)
    event_id = event.event_id or hashlib.sha256(body).hexdigest()
    answer = store.record(event, event_id, {**origin(app.current_event), "actor": "payment-processor"})
    # Money without goods: beside the order's timeline, the log has a warning that somebody can be told by.
    needs_somebody = answer["outcome"] in ("needs_refund", "needs_review")
    remark(warn=needs_somebody, outcome=answer["outcome"], order_id=answer["order_id"], event_id=answer["event_id"])
    return json_response(json.dumps(answer))


lambda_handler = entry_point(app)
