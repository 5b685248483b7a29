// The screen of the orders: search, filters and pages.

import { html } from "lit-html";

import { href } from "./address.js";
import { get } from "./api.js";
import { money, name, time } from "./formats.js";
import { badge, filterForm, heading, pager, table } from "./parts.js";
import { visit } from "./shell.js";
import { t, word } from "./texts.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const STATUSES = ["pending", "completed", "canceled"];
const PAYMENT_STATUSES = ["unpaid", "paid", "failed"];

// An email is personal data, so an address only says that there is one. The email is gone after a reload.
let email = "";
const isByEmail = (query) => query.get("by") === "email";

export const orders = {
  name: "orders",
  scope: "orders:read",
  isList: true,
  label: () => t("orders.title"),
  title: () => t("orders.title"),
  load: ({ query }) => search(filters(query), query),
  view: (page, address) => html`
    ${heading(t("orders.title"))}
    ${form(address.query)}
    ${page.items.length ? list(page.items) : html`<p class="none">
      ${isByEmail(address.query) && !email ? t("orders.email_again") : t("orders.none")}</p>`}
    ${pager("orders", null, address, page)}`,
};

function filters(query) {
  return {
    status: query.get("status"),
    payment_status: query.get("payment_status"),
    customer_id: query.get("customer_id"),
    created_from: startOfDay(query.get("from")),
    created_to: startOfDay(query.get("to"), 1),
    cursor: query.get("cursor"),
  };
}

/** What people search for is a number, the shop's own reference, or an email. Only a number can also be a reference. */
async function search(given, query) {
  if (isByEmail(query)) return email ? get("/api/orders", { ...given, email }) : { items: [], next_cursor: null };
  const text = query.get("search") ?? "";
  if (!text) return get("/api/orders", given);
  if (/^#?\d{1,9}$/.test(text)) {
    const page = await get("/api/orders", { ...given, number: text.replace("#", "") });
    if (page.items.length) return page;
  }
  return get("/api/orders", { ...given, reference: text });
}

function startOfDay(date, days = 0) {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date ?? "");
  if (!found) return null;
  // A day of the browser's time zone. The last millisecond of the last day belongs to it.
  return new Date(found[1], found[2] - 1, Number(found[3]) + days, 0, 0, 0, days ? -1 : 0).toISOString();
}

function form(query) {
  const choices = (kind, values) => [["", t("list.any")], ...values.map((value) => [value, word(kind, value)])];
  const search = isByEmail(query) ? email : query.get("search") ?? "";
  return filterForm("orders", query, [
    { name: "search", type: "search", label: t("orders.search"), value: search },
    { name: "status", type: "select", label: t("orders.status"), options: choices("order_status", STATUSES) },
    { name: "payment_status", type: "select", label: t("orders.payment_status"),
      options: choices("payment_status", PAYMENT_STATUSES) },
    { name: "customer_id", label: t("orders.customer_number"), inputmode: "numeric" },
    { name: "from", type: "date", label: t("orders.from") },
    { name: "to", type: "date", label: t("orders.to") },
  ], submit);
}

function submit(values) {
  const text = values.search.trim();
  if (UUID.test(text)) return visit(href("order", text.toLowerCase()));
  email = text.includes("@") ? text : "";
  return visit(href("orders", null, { ...values, ...(email ? { search: "", by: "email" } : { search: text }) }));
}

function list(items) {
  return table(t("orders.title"), [
    { label: t("orders.number"), content: (order) => html`<a href=${href("order", order.id)}>${order.number}</a>` },
    { label: t("orders.placed"), content: (order) => time(order.created_at) },
    { label: t("orders.reference"), content: (order) => name(order.reference) },
    { label: t("orders.customer"), wide: true, content: (order) => name(order.email ?? order.customer_id) },
    { label: t("orders.status"), content: (order) => badge("order_status", order.status) },
    { label: t("orders.payment_status"), content: (order) => paymentBadge(order) },
    { label: t("orders.total"), numeric: true, content: (order) => money(order.total_price, order.currency) },
  ], items);
}

/** The payment status, or how much of the payments went back. */
export function paymentBadge(order) {
  const refunds = order.refund_status === "none" ? "" : badge("refund_state", order.refund_status);
  return html`${badge("payment_status", order.payment_status)} ${refunds}`;
}
