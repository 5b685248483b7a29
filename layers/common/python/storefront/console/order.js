// The screen of one order: line items, money, timeline, and what staff can do.

import { html, nothing } from "lit-html";

import { actorText, may } from "./access.js";
import { href } from "./address.js";
import { amountOf, exact, country, money, name, number, time } from "./formats.js";
import * as actions from "./order_actions.js";
import { loadOrder, refundablePayments, refundedUnits } from "./order_data.js";
import { paymentBadge } from "./orders.js";
import { badge, button, facts, heading, table } from "./parts.js";
import { openRefund } from "./refund_dialog.js";
import { refundTable } from "./refund_table.js";
import { t, word } from "./texts.js";

export const order = {
  name: "order",
  partOf: "orders",
  scope: "orders:read",
  title: ({ order: { number: value } }) => t("order.title", { number: String(value) }),
  load: ({ id }) => loadOrder(id),
  view: (data) => html`
    ${heading(t("order.title", { number: String(data.order.number) }), buttons(data))}
    <p class="badges">${badge("order_status", data.order.status)} ${paymentBadge(data.order)}</p>
    ${[...new Set(data.events.map((event) => event.action))].filter(Boolean).map(
      (action) => html`<p class="todo">${name(action)}</p>`)}
    <div class="columns">
      <div>${[items(data), payments(data), refunds(data), timeline(data)]}</div>
      <aside aria-label=${t("order.about")}>${about(data.order)}
        ${may("orders:manage") ? button(t("order.erase"), () => actions.erase(data), { style: "danger" }) : nothing}</aside>
    </div>`,
};

function buttons(data) {
  if (!may("orders:manage")) return [];
  const isPending = data.order.status === "pending";
  return [
    isPending ? button(t("order.complete"), () => actions.complete(data), { style: "primary" }) : nothing,
    refundablePayments(data.payments).length ? button(t("order.refund"), () => openRefund(data)) : nothing,
    isPending ? button(t("order.cancel"), () => actions.cancel(data), { style: "danger" }) : nothing,
    button(t("order.add_note"), () => actions.addNote(data)),
  ];
}

function items({ order: shown, refunds: given }) {
  const { currency } = shown;
  return html`<section><h2>${t("order.items")}</h2>
    ${table(t("order.items"), [
      { label: t("order.product"), wide: true, content: (item) => html`
        <a href=${href("product", item.product_id)}>${name(item.product_name)}</a>
        ${item.sku ? html`<br><small>${name(item.sku)}</small>` : nothing}` },
      { label: t("order.quantity"), numeric: true, content: (item) => quantity(item, given) },
      { label: t("order.price"), numeric: true, content: (item) => money(item.price_at_purchase, currency) },
      { label: t("order.sum"), numeric: true, content: (item) => money(
        amountOf(exact(item.price_at_purchase) * BigInt(item.quantity)), currency) },
    ], shown.order_items)}
    <dl class="sums">
      ${sum(t("order.subtotal"), shown.subtotal, currency)}
      ${shown.charges.map((charge) => sum(html`${word("charge", charge.kind)}: ${name(charge.label)}`, charge.amount, currency))}
      ${sum(t("orders.total"), shown.total_price, currency, "total")}
      ${sum(t("order.paid"), shown.paid_amount, currency)}
      ${sum(t("order.refunded"), shown.refunded_amount, currency)}
    </dl></section>`;
}

function quantity(item, given) {
  const refunded = refundedUnits(given, item.id);
  return html`${number(item.quantity)}
    ${refunded ? html`<br><small>${t("order.units_refunded", { count: refunded })}</small>` : nothing}`;
}

function sum(label, amount, currency, style = "") {
  return html`<div class=${style}><dt>${label}</dt><dd>${money(amount, currency)}</dd></div>`;
}

function payments({ payments: given }) {
  if (!given.length) return nothing;
  return html`<section><h2>${t("order.payments")}</h2>
    ${table(t("order.payments"), [
      { label: t("payment.reference"), wide: true, content: (payment) => name(payment.reference ?? t("payment.no_reference")) },
      { label: t("payment.received"), content: (payment) => time(payment.received_at) },
      { label: t("payment.amount"), numeric: true, content: (payment) => money(payment.amount, payment.currency) },
      { label: t("payment.left"), numeric: true, content: (payment) => money(payment.amount_left, payment.currency) },
      { label: t("payment.remarks"), content: remarks },
    ], given)}</section>`;
}

function remarks(payment) {
  const texts = payment.disputes.map((dispute) => t("payment.dispute", { status: word("dispute", dispute.status) }));
  if (payment.reason) texts.unshift(word("reason", payment.reason));
  return texts.length ? texts.join(" ") : nothing;
}

function refunds({ order: shown, refunds: given }) {
  if (!given.length) return nothing;
  return html`<section><h2>${t("order.refunds")}</h2>${refundTable(given, shown)}</section>`;
}

function timeline({ order: shown, events }) {
  return html`<section><h2>${t("order.timeline")}</h2>
    <ol class="timeline">${events.map((event) => html`<li>
      <p class="when">${time(event.occurred_at)} · ${name(actorText(event.actor))}</p>
      <p>${name(event.message)}</p>
      ${event.note ? html`<p class="quote">${name(event.note)}</p>` : nothing}
      ${event.action ? html`<p class="todo">${name(event.action)}</p>` : nothing}
    </li>`)}</ol>
    ${may("orders:manage") ? html`<p><a href=${href("payment-events", null, { order: shown.id })}>${t("order.events")}</a></p>`
      : nothing}</section>`;
}

function about(shown) {
  const metadata = Object.entries(shown.metadata ?? {}).map(([key, value]) => [name(key), name(value)]);
  return html`${facts([
    [t("orders.placed"), time(shown.created_at)],
    [t("orders.reference"), name(shown.reference)],
    [t("order.expires"), shown.status === "pending" ? time(shown.expires_at) : nothing],
    [t("orders.customer"), html`<a href=${href("orders", null, { customer_id: shown.customer_id })}>${shown.customer_id}</a>`],
    [t("order.email"), name(shown.email)],
    [t("order.note"), name(shown.note)],
    [t("order.shipping_address"), address(shown.shipping_address)],
    [t("order.billing_address"), address(shown.billing_address)],
    ...metadata,
  ])}`;
}

function address(given) {
  if (!given) return nothing;
  const { name: person, company, line1, line2, city, region, postal_code: postalCode, phone } = given;
  const lines = [person, company, line1, line2, [postalCode, city].filter(Boolean).join(" "), region,
    country(given.country), phone];
  return html`<address>${lines.filter(Boolean).map((line) => html`<span>${name(line)}</span>`)}</address>`;
}
