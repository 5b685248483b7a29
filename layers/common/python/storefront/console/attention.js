// The screen of what needs a person: money that does not match, refunds to make, and low stock.

import { html, nothing } from "lit-html";

import { may } from "./access.js";
import { href } from "./address.js";
import { NoResponse, call, get } from "./api.js";
import { messageOf, openDialog } from "./dialogs.js";
import { money, name, number, time } from "./formats.js";
import * as actions from "./order_actions.js";
import { loadOrder, refundablePayments } from "./order_data.js";
import { replay } from "./payment_events.js";
import { button, count, field, heading, table } from "./parts.js";
import { adjustStock } from "./product_dialogs.js";
import { openRefund } from "./refund_dialog.js";
import { isOpen, refundTable, setStatus } from "./refund_table.js";
import { announce, visit } from "./shell.js";
import { t, word } from "./texts.js";

const DEFAULT_LOW_STOCK = 5;
const MAX_ROWS = 100; // Rows of each list. The rest follows when these are settled.

/** What settles an entry of each kind, besides dismissing it. */
const SETTLED_BY = {
  paid_and_canceled: ["refund"],
  paid_twice: ["refund"],
  paid_after_completion: ["refund"],
  completed_and_unpaid: [],
  amount_mismatch: ["complete", "refund", "cancel"],
  conflicting_event: ["replay"],
  event_without_order: ["replay"],
  unreadable_event: ["replay"],
  pending_too_long: ["complete", "cancel"],
  held_too_long: ["complete", "cancel"],
  over_refunded: ["cancelRefund"],
  refund_failed: ["refund"],
  refund_stuck: ["succeeded", "cancelRefund"],
  disputed: [],
};

export const attention = {
  name: "attention",
  scope: "orders:manage",
  label: () => t("attention.title"),
  title: () => t("attention.title"),
  load: async ({ query }) => {
    const low = /^\d{1,9}$/.test(query.get("low") ?? "") ? query.get("low") : String(DEFAULT_LOW_STOCK);
    const [entries, refunds, products] = await Promise.all([
      get("/api/reconciliation", { page_size: MAX_ROWS }),
      get("/api/refunds", { status: "requested", page_size: MAX_ROWS }),
      get("/api/products", { max_quantity: low, sort: "quantity" }),
    ]);
    return { entries, refunds, products, low };
  },
  view: (data) => html`
    ${heading(t("attention.title"))}
    ${data.entries.items.length || data.refunds.items.length ? nothing : html`<p class="none">${t("attention.none")}</p>`}
    ${data.entries.next_cursor ? html`<p>${t("attention.more", { count: MAX_ROWS })}</p>` : nothing}
    ${groups(data.entries.items).map(([kind, entries]) => group(kind, entries))}
    ${refundsToMake(data.refunds)}
    ${lowStock(data)}`,
};

function groups(entries) {
  const kinds = new Map();
  for (const entry of entries) kinds.set(entry.kind, [...(kinds.get(entry.kind) ?? []), entry]);
  return [...kinds];
}

function group(kind, entries) {
  return html`<section class="group"><h2>${word("kind", kind)} ${count(entries.length)}</h2>
    <p>${word("kind_explained", kind)}</p>
    <ul class="entries">${entries.map(entryView)}</ul></section>`;
}

function entryView(entry) {
  const { order, payment_event: event } = entry;
  return html`<li class="entry" data-kind=${entry.kind}>
    <p class="when">${order ? html`<a href=${href("order", order.id)}>${t("order.title", { number: String(order.number) })}</a> · `
      : nothing}${time(entry.since)}${order ? html` · ${money(order.total_price, order.currency)}` : nothing}</p>
    <p>${name(entry.message)}</p>
    <p class="todo">${name(entry.action)}</p>
    ${event && !order ? html`<small>${name(event.event_id)}</small>` : nothing}
    <div class="row-actions">${buttons(entry)}</div></li>`;
}

function buttons(entry) {
  const orderNumber = entry.order ? String(entry.order.number) : "";
  const one = (label, action) => ({ label, action });
  const known = {
    refund: () => (entry.payment || entry.order) && one(t("order.refund"), () => withOrder(entry, refund)),
    complete: () => isPending(entry) && one(t("order.complete"), () => withOrder(entry, actions.complete)),
    cancel: () => isPending(entry) && one(t("order.cancel"), () => withOrder(entry, actions.cancel)),
    replay: () => entry.payment_event && one(t("events.replay"), () => replay(entry.payment_event)),
    succeeded: () => isOpen(entry.refund) && one(t("refund.set_succeeded"), () => setStatus(entry.refund, "succeeded")),
    cancelRefund: () => isOpen(entry.refund) && one(t("refund.cancel"), () => setStatus(entry.refund, "canceled")),
  };
  const usual = (SETTLED_BY[entry.kind] ?? []).map((key) => known[key]()).filter(Boolean);
  // Where a person has to decide, or a refund is under way already, no button stands out.
  const isPlain = usual.length === 1 && entry.order?.refund_status !== "pending";
  const described = (label) => (orderNumber ? t("attention.of_order", { action: label, number: orderNumber }) : label);
  return [...usual, one(t("attention.dismiss"), () => dismiss(entry))].map(({ label, action }, index) =>
    button(label, action, { style: index === 0 && isPlain ? "primary" : "", description: described(label) }));
}

function isPending({ order }) {
  return order?.status === "pending";
}

let isLoading = false;

/** Open a dialog about the order of an entry, as the order is now. */
async function withOrder(entry, open) {
  if (isLoading) return;
  isLoading = true;
  const { hash } = location;
  try {
    const data = await loadOrder(entry.order?.id ?? entry.payment.order_id);
    // The user may have gone to another screen.
    if (hash === location.hash) open(data, entry.payment?.id);
  } catch (error) {
    announce(error instanceof NoResponse ? t("problem.not_loaded") : messageOf(error));
  } finally {
    isLoading = false;
  }
}

function refund(data, paymentId) {
  if (refundablePayments(data.payments).length) openRefund(data, paymentId);
  else announce(t("attention.nothing_to_refund", { number: String(data.order.number) }));
}

function dismiss(entry) {
  openDialog({
    title: t("dismiss.title"),
    action: t("attention.dismiss"),
    fields: (values, errors) => html`<p>${name(entry.message)}</p>
      ${field({ name: "note", type: "textarea", label: t("dismiss.note"), hint: t("dismiss.note_hint"), required: true,
        error: errors.note })}`,
    summary: () => t("dismiss.summary"),
    invalid: ({ note }) => note.trim() ? {} : { note: t("problem.required") },
    send: ({ note }, key) => call("POST", `/api/reconciliation/${entry.kind}/${entry.id}/acknowledgement`, {
      body: { note: note.trim() }, key }),
    done: () => t("dismiss.done"),
    findChanges: async () => [t("dismiss.ended")],
  });
}

function refundsToMake({ items, total }) {
  if (!items.length) return nothing;
  return html`<section class="group"><h2>${t("attention.refunds")} ${count(total ?? items.length)}</h2>
    <p>${t("attention.refunds_explained")}</p>${refundTable(items)}</section>`;
}

function lowStock({ products, low }) {
  return html`<section class="group"><h2>${t("attention.low_stock")} ${count(products.total ?? products.items.length)}</h2>
    <p>${t("attention.low_stock_explained", { count: Number(low) })}</p>
    <form class="filters" @submit=${setLow}>
      ${field({ prefix: "filter", name: "low", type: "number", label: t("attention.low"), value: low, min: 0, max: 999999999 })}
      <div class="buttons"><button>${t("attention.show")}</button></div></form>
    ${products.items.length ? table(t("attention.low_stock"), [
      { label: t("product.name"), wide: true, content: (item) => html`<a href=${href("product", item.id)}>
        ${name(item.name)}</a>` },
      { label: t("product.sku"), content: (item) => item.sku ? name(item.sku) : nothing },
      { label: t("product.stock"), numeric: true, content: (item) => number(item.quantity) },
      { label: t("list.actions"), hidden: true, content: (item) => may("catalog:write") ? button(t("product.adjust"),
        () => adjustStock({ product: item }), { description: t("adjust.title", { product: item.name }) }) : nothing },
    ], products.items) : nothing}
    ${products.next_cursor ? html`<p><a href=${href("products", null, { max_quantity: low, sort: "quantity" })}>
      ${t("attention.all_low_stock")}</a></p>` : nothing}</section>`;
}

function setLow(event) {
  event.preventDefault();
  visit(href("attention", null, Object.fromEntries(new FormData(event.target))));
}
