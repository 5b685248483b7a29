"""The payment webhook: what the processor calls."""

import hashlib

from storefront.http import create_app, json_response, parse_json, raw_body
from storefront.http import lambda_handler as entry_point
from storefront.payments import store
from storefront.payments.keyring import Keyring, fetch_secret
from storefront.payments.models import PaymentEvent
from storefront.powertools import Response

app = create_app()
keyring = Keyring(fetch_secret)


@app.post("/api/payment-webhook")
def receive_payment_event() -> Response[str]:
    body = raw_body(app.current_event)
    # Before anything of the body is looked at: what is not authentic gets no further.
    keyring.authenticate(app.current_event.headers, body)
    event = parse_json(app.current_event, PaymentEvent, body)
    return json_response(store.record(event, event.event_id or hashlib.sha256(body).hexdigest()))


lambda_handler = entry_point(app)
