"""What the query parameters of the lists mean."""

MEANINGS = {
    "page": "The page's number, the first if neither it nor `cursor` is sent; at most 100,000 rows down.",
    "page_size": "How many rows a page has.",
    "cursor": "The `next_cursor` of the page before, with the same filters and the same sort; in place of `page`.",
    "in_stock": "With stock on hand, or without.",
    "q": "Words that the name has, all of them, whole and in any case; a letter or a digit at least.",
    "min_price": "The lowest price, itself included.",
    "max_price": "The highest price, itself included.",
    "sort": "What the rows are sorted by; descending with `-`. Ties are broken by id.",
    "status": "Orders with that status.",
    "payment_status": "Orders with that payment status.",
    "customer_id": "The customer's orders; a customer's token sees no others.",
    "created_from": "Placed at that time or later.",
    "created_to": "Placed at that time or before.",
    "outcome": "Payment events that came to this.",
    "order_id": "Payment events of the order.",
    "event_id": "Payment events that the processor gave this name.",
    "kind": "What does not add up.",
    "pending_minutes": "How long an order may be pending before it counts as `pending_too_long`.",
}
