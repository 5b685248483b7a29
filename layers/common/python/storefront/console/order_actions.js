// The dialogs of an order, other than that of a refund.

import { html, nothing } from "lit-html";

import { call } from "./api.js";
import { openDialog } from "./dialogs.js";
import { amountsLeft, orderChanges, restockedUnits } from "./order_data.js";
import { choice, field } from "./parts.js";
import { t, word } from "./texts.js";

/** Open the dialog that completes a pending order. */
export function complete(data) {
  const { order } = data;
  openDialog({
    title: t("complete.title", { number: String(order.number) }),
    action: t("order.complete"),
    summary: () => t(order.payment_status === "paid" ? "complete.paid" : "complete.unpaid"),
    send: () => setStatus(data, { status: "completed" }),
    done: statusDone,
    findChanges: () => orderChanges(data),
  });
}

/** Open the dialog that cancels a pending order, with or without a refund of its payments. */
export function cancel(data) {
  const { order, payments } = data;
  const amounts = amountsLeft(payments);
  const refunds = (values) => amounts.length > 0 && values.refund !== "no";
  openDialog({
    title: t("cancel.title", { number: String(order.number) }),
    action: (values) => refunds(values) ? t("cancel.action_with_refund", { amount: amounts.join(" + ") })
      : t("cancel.action"),
    danger: true,
    fields: () => amounts.length ? choice({ name: "refund", label: t("cancel.money"), value: "yes", choices: [
      ["yes", t("cancel.with_refund", { amount: amounts.join(" + ") })], ["no", t("cancel.without_refund")] ] }) : nothing,
    summary: (values) => html`<p>${returned(data)}</p><p>${refunds(values) ? t("cancel.refund_follows") : amounts.length
      ? t("cancel.money_stays", { amount: amounts.join(" + ") }) : t("cancel.no_money")}</p>`,
    send: (values) => setStatus(data, { status: "canceled", ...(refunds(values) ? { refund: true } : {}) }),
    done: statusDone,
    findChanges: () => orderChanges(data),
  });
}

function returned(data) {
  const units = data.order.order_items.map((item) => ({ item, count: item.quantity - restockedUnits(data, item) }))
    .filter(({ count }) => count > 0).map(({ item, count }) => t("order.units_of", { count, product: item.product_name }));
  return units.length ? t("cancel.stock", { units: units.join(", ") }) : t("cancel.no_stock");
}

function setStatus({ order, etag }, body) {
  return call("PUT", `/api/orders/${order.id}/status`, { body, etag });
}

function statusDone({ body: order }) {
  return t("order.status_done", { number: String(order.number), status: word("order_status", order.status) });
}

/** Open the dialog that adds a note of staff to the timeline. */
export function addNote({ order }) {
  openDialog({
    title: t("note.title", { number: String(order.number) }),
    action: t("order.add_note"),
    fields: (values, errors) => field({ name: "text", type: "textarea", label: t("note.text"), hint: t("note.hint"),
      required: true, error: errors.text, rows: 4 }),
    invalid: ({ text }) => text.trim() ? {} : { text: t("problem.required") },
    send: ({ text }, key) => call("POST", `/api/orders/${order.id}/notes`, { body: { text: text.trim() }, key }),
    done: () => t("note.done"),
  });
}

/** Open the dialog that erases the personal data of the order's customer, in all of the customer's orders. */
export function erase({ order }) {
  const customer = String(order.customer_id);
  openDialog({
    title: t("erase.title", { customer }),
    action: t("erase.action"),
    danger: true,
    fields: (values, errors) => field({ name: "customer", label: t("erase.confirm", { customer }), inputmode: "numeric",
      error: errors.customer }),
    summary: () => t("erase.summary"),
    // A slip of the finger must not be enough, because nobody can undo it.
    invalid: (values) => values.customer.trim() === customer ? {} : { customer: t("erase.other_customer", { customer }) },
    send: () => call("DELETE", `/api/customers/${customer}/personal-data`),
    done: ({ body }) => t("erase.done", { count: body.orders, customer }),
  });
}
