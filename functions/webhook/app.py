"""The payment webhook: what the processor calls."""

from functools import partial

from storefront.actor import PAYMENT_PROCESSOR, actor_of
from storefront.cold_start.powertools import Response
from storefront.errors import Problem
from storefront.http import add_log_fields, create_app, entry_point, json_response, raw_body, read_json
from storefront.json_text import to_json
from storefront.payments import store
from storefront.payments.keyring import Keyring
from storefront.payments.providers import payment_event
from storefront.payments.secret import fetch_secret

app = create_app()
keyring = Keyring(fetch_secret)


@app.post("/api/payment-webhook")
def receive_payment_event() -> Response[str]:
    event = app.current_event
    body = raw_body(event)
    # Before anything of the body is looked at: what is not authentic gets no further. The headers as they came, since
    # a mapping by lower case hides one that came twice.
    authentic = keyring.authenticate(event.get("headers") or {}, body)
    # Counted by the metric filter AuthenticPaymentEvents: a secret that is not seen any more can be taken away.
    add_log_fields(warn=False, scheme=authentic.scheme, key=authentic.key)
    try:
        sent = read_json(event, body, partial(payment_event, authentic.scheme))
    except Problem as problem:
        # A processor that is refused gives up some day, and a payment may be lost on it: the log says what to mend.
        add_log_fields(warn=True, detail=problem.detail)
        raise
    response = store.record(sent, authentic, body, {**actor_of(event), "actor": PAYMENT_PROCESSOR})
    # Money without goods: beside the order's timeline, the log has a warning that somebody can be told by.
    needs_somebody = response["outcome"] in ("needs_refund", "needs_review")
    add_log_fields(
        warn=needs_somebody,
        payment_status=sent.payment_status or "none",
        outcome=response["outcome"],
        order_id=response["order_id"],
        event_id=response["event_id"],
    )
    return json_response(to_json(response))


lambda_handler = entry_point(app)
