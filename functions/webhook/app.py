"""The payment webhook, which the payment processor calls."""

from storefront.actor import PAYMENT_PROCESSOR, Actor, actor_of
from storefront.cold_start.powertools import Response
from storefront.errors import BodyTooLarge
from storefront.http import add_log_fields, check_size, create_app, entry_point, is_json, json_response, raw_body
from storefront.json_text import to_json
from storefront.payments import store
from storefront.payments.keyring import Keyring
from storefront.payments.providers import read_event
from storefront.payments.secret import fetch_secret

MAX_EVENT_BYTES = 1024 * 1024
"""More than in other requests, because a refused event can be a lost payment."""

app = create_app()
keyring = Keyring(fetch_secret)


@app.post("/api/payment-webhook")
def receive_payment_event() -> Response[str]:
    event = app.current_event
    body = raw_body(event)
    # Check the signature before anything in the body. Use the original headers, because a mapping by lowercase names
    # would hide a repeated header.
    authentic = keyring.authenticate(event.get("headers") or {}, body)
    # The metric filter AuthenticPaymentEvents counts these. A secret that is no longer used can be removed.
    add_log_fields(warn=False, scheme=authentic.scheme, key=authentic.key)
    try:
        check_size(body, MAX_EVENT_BYTES)
    except BodyTooLarge as error:
        # Checked after the signature, so that only the processor can cause this warning.
        add_log_fields(warn=True, detail=error.detail)
        raise
    payment, problem = read_event(authentic.scheme, body, is_json=is_json(event))
    actor: Actor = {**actor_of(event), "actor": PAYMENT_PROCESSOR, "party": "payment processor"}
    response = store.record(payment, authentic, body, actor)
    stored_outcome = response.pop("stored_outcome")
    reported = {"refund_status": payment.refund_status, "dispute_status": payment.dispute_status}
    fields = {name: status for name, status in reported.items() if status}
    is_bad_news = fields in ({"refund_status": "failed"}, {"dispute_status": "open"})
    add_log_fields(
        # Staff must act on these. The warning in the log can trigger an alarm. A duplicate counts as well, because the
        # first delivery may be lost before it is logged.
        warn=stored_outcome in ("needs_refund", "needs_review") or (is_bad_news and stored_outcome == "applied"),
        payment_status=payment.payment_status or "none",
        outcome=response["outcome"],
        stored_outcome=stored_outcome,
        order_id=response["order_id"],
        event_id=response["event_id"],
        **fields,
    )
    if problem:
        # The event is stored, but the integrator must see that its effect could not be read.
        add_log_fields(warn=True, detail=problem.detail)
        raise problem
    return json_response(to_json(response))


lambda_handler = entry_point(app)
