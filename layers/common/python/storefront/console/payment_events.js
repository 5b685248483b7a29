// The screen of the payment events: filters, what each of them did and why, and replays.

import { html, nothing } from "lit-html";

import { href } from "./address.js";
import { call, get } from "./api.js";
import { openDialog } from "./dialogs.js";
import { money, name, number, time } from "./formats.js";
import { badge, button, filterForm, heading, pager, table } from "./parts.js";
import { visit } from "./shell.js";
import { t, word } from "./texts.js";

const NUMBER = /^#?\d{1,9}$/;
const OUTCOMES = ["applied", "duplicate", "ignored", "needs_refund", "needs_review", "unknown_order", "unreadable"];

export const paymentEvents = {
  name: "payment-events",
  scope: "orders:manage",
  isList: true,
  label: () => t("events.title"),
  title: () => t("events.title"),
  load: async ({ query }) => {
    const text = query.get("order") ?? "";
    const id = NUMBER.test(text) ? await idOf(text) : text;
    return id === null ? { items: [], next_cursor: null } : get("/api/payment-events", {
      outcome: query.get("outcome"), event_id: query.get("event_id"), order_id: id, cursor: query.get("cursor"),
    });
  },
  view: (page, address) => html`
    ${heading(t("events.title"))}
    ${form(address.query)}
    ${page.items.length ? list(page.items) : html`<p class="none">${t("events.none")}</p>`}
    ${pager("payment-events", null, address, page)}`,
};

/** Return the ID of the order with a number, or null. */
async function idOf(number) {
  const { items } = await get("/api/orders", { number: number.replace("#", "") });
  return items.length ? items[0].id : null;
}

function form(query) {
  return filterForm("payment-events", query, [
    { name: "outcome", type: "select", label: t("events.outcome"), options: [
      ["", t("list.any")], ...OUTCOMES.map((outcome) => [outcome, word("outcome", outcome)])] },
    { name: "event_id", type: "search", label: t("events.event_id") },
    { name: "order", type: "search", label: t("events.order") },
  ], (values) => visit(href("payment-events", null, values)));
}

function list(items) {
  return table(t("events.title"), [
    { label: t("events.received"), content: (event) => time(event.received_at) },
    { label: t("events.outcome"), content: (event) => badge("outcome", event.outcome) },
    { label: t("events.what"), wide: true, content: explanation },
    { label: t("payment.amount"), numeric: true, content: (event) => event.amount ? amount(event) : nothing },
    { label: t("events.attempts"), numeric: true, content: (event) => number(event.attempts) },
    { label: t("refund.order"), content: (event) => event.order_id
      ? html`<a href=${href("order", event.order_id)}>${t("attention.open_order")}</a>` : nothing },
    { label: t("list.actions"), hidden: true, content: (event) => button(t("events.replay"), () => replay(event),
      { description: t("events.replay_of", { event: event.event_id }) }) },
  ], items);
}

// As it was sent, so that it need not be an amount.
function amount(event) {
  return /^\d{1,15}\.\d+$/.test(event.amount) ? money(event.amount, event.currency ?? "")
    : name(`${event.amount} ${event.currency ?? ""}`);
}

/** What an event did, what to do now, and its ID. */
function explanation(event) {
  return html`<p>${name(event.message)}</p>
    ${event.action ? html`<p class="todo">${name(event.action)}</p>` : nothing}
    ${event.error ? html`<p class="quote">${name(event.error)}</p>` : nothing}
    <small>${name(event.event_id)}</small>`;
}

/** Open the dialog that processes a stored event again. */
export function replay(event) {
  openDialog({
    title: t("replay.title"),
    action: t("events.replay"),
    fields: () => explanation(event),
    summary: () => t("replay.summary"),
    send: () => call("POST", `/api/payment-events/${event.id}/replay`),
    done: ({ body }) => t("replay.done", { outcome: word("outcome", body.outcome), message: body.message }),
  });
}
