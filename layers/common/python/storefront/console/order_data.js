// An order with everything that belongs to it, and what follows from that.

import { may } from "./access.js";
import { all, call } from "./api.js";
import { amountOf, exact, moneyText } from "./formats.js";
import { t, word } from "./texts.js";

/** Load an order with its ETag, payments, refunds and timeline, with all requests at the same time. */
export async function loadOrder(id) {
  const path = `/api/orders/${encodeURIComponent(id)}`;
  const lists = may("orders:manage") ? [all(`${path}/payments`), all(`${path}/refunds`)] : [[], []];
  const [{ body: order, etag }, events, payments, refunds] = await Promise.all(
    [call("GET", path), all(`${path}/events`), ...lists],
  );
  return { order, etag, events, payments, refunds };
}

/** Return how many units of a line item were refunded or are to be. */
export function refundedUnits(refunds, itemId) {
  return units(refunds.filter((refund) => !["failed", "canceled"].includes(refund.status)), itemId);
}

/** Return how many units of a line item are back in the stock. */
export function restockedUnits({ order, refunds }, item) {
  if (order.status === "canceled") return item.quantity;
  // Units that came back stay, even if their refund failed.
  return units(refunds, item.id, (line) => line.restock);
}

function units(refunds, itemId, counts = () => true) {
  const lines = refunds.flatMap((refund) => refund.lines).filter((line) => line.order_item_id === itemId && counts(line));
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}

/** Return the payments that still have money to refund. The money of an open dispute may go back through the bank. */
export function refundablePayments(payments) {
  return payments.filter((payment) => exact(payment.amount_left) > 0n
    && !payment.disputes.some((dispute) => dispute.status === "open"));
}

/** Return what a cancellation with a refund would give back, as a text for each currency. */
export function amountsLeft(payments) {
  const sums = {};
  for (const { currency, amount_left: left } of refundablePayments(payments)) {
    sums[currency] = (sums[currency] ?? 0n) + exact(left);
  }
  return Object.entries(sums).filter(([, sum]) => sum > 0n).map(([currency, sum]) => moneyText(amountOf(sum), currency));
}

/** Return what changed in an order since it was loaded, as texts. */
export async function orderChanges(before) {
  const after = await loadOrder(before.order.id);
  const fields = [
    ["orders.status", (order) => word("order_status", order.status)],
    ["orders.payment_status", (order) => word("payment_status", order.payment_status)],
    ["order.paid", (order) => moneyText(order.paid_amount, order.currency)],
    ["order.refunded", (order) => moneyText(order.refunded_amount, order.currency)],
    ["order.refund_status", (order) => word("refund_state", order.refund_status)],
  ];
  const changed = fields.filter(([, text]) => text(before.order) !== text(after.order)).map(([label, text]) =>
    t("dialog.change", { field: t(label), before: text(before.order), after: text(after.order) }));
  const added = after.events.slice(before.events.length).map((event) => t("dialog.event", { event: event.message }));
  return [...new Set([...changed, ...added])];
}
