// The table of refunds, and the dialog that sets their status.

import { html, nothing } from "lit-html";

import { may } from "./access.js";
import { href } from "./address.js";
import { call, get } from "./api.js";
import { openDialog } from "./dialogs.js";
import { money, moneyText, name, time } from "./formats.js";
import { badge, button, field, table } from "./parts.js";
import { t, word } from "./texts.js";

/** Return whether a refund can still be made or canceled. */
export function isOpen(refund) {
  return ["requested", "pending"].includes(refund?.status);
}

/** The refunds of one order, or of several if there is no order. */
export function refundTable(refunds, order) {
  const columns = [
    { label: t("refund.requested_at"), content: (refund) => time(refund.requested_at) },
    { label: t("refund.amount"), numeric: true, content: (refund) => money(refund.amount, refund.currency) },
    { label: t("refund.status"), content: (refund) => badge("refund_status", refund.status) },
    { label: t("refund.reason"), wide: true, content: (refund) => html`
      ${name(refund.reason)}${order ? unitsOf(refund, order).map((text) => html`<br><small>${text}</small>`) : nothing}` },
    { label: t("list.actions"), hidden: true, content: (refund) => may("orders:manage") ? actions(refund) : nothing },
  ];
  const more = order ? [] : [
    { label: t("payment.reference"), wide: true, content: (refund) => name(refund.payment_reference) },
    { label: t("refund.order"), content: (refund) => html`
      <a href=${href("order", refund.order_id)}>${t("attention.open_order")}</a>` },
  ];
  return table(t("order.refunds"), [...columns.slice(0, -1), ...more, ...columns.slice(-1)], refunds);
}

function unitsOf(refund, order) {
  return refund.lines.map(({ order_item_id: id, quantity, restock }) => {
    const item = order.order_items.find((one) => one.id === id);
    const units = t("order.units_of", { count: quantity, product: item?.product_name ?? id });
    return restock ? t("refund.restocked", { units }) : units;
  });
}

function actions(refund) {
  if (!isOpen(refund)) return nothing;
  return html`<div class="row-actions">
    ${button(t("refund.set_succeeded"), () => setStatus(refund, "succeeded"))}
    ${button(t("refund.set_failed"), () => setStatus(refund, "failed"))}
    ${button(t("refund.cancel"), () => setStatus(refund, "canceled"))}</div>`;
}

/** Open the dialog that sets the status of a refund by hand. */
export function setStatus(refund, status) {
  const amount = moneyText(refund.amount, refund.currency);
  openDialog({
    title: t(`refund.${status}_title`, { amount }),
    action: t(`refund.${status}_action`),
    danger: status !== "succeeded",
    summary: () => t(`refund.${status}_summary`, { amount }),
    fields: (values, errors) => status === "succeeded" ? field({
      name: "processor_reference", label: t("refund.processor_reference"), hint: t("refund.processor_reference_hint"),
      error: errors.processor_reference,
    }) : nothing,
    send: ({ processor_reference: reference }) => call("PUT", `/api/refunds/${refund.id}/status`, {
      // Not if somebody or something else has set another status since it was shown.
      body: { status, expected_status: refund.status, ...(reference?.trim() ? { processor_reference: reference.trim() } : {}) },
    }),
    done: ({ body }) => t("refund.done", {
      amount: moneyText(body.amount, body.currency), status: word("refund_status", body.status),
    }),
    findChanges: async () => {
      const current = (await get(`/api/orders/${refund.order_id}/refunds`, { page_size: 100 })).items.find(
        (other) => other.id === refund.id,
      );
      return [t("dialog.change", {
        field: t("refund.status"), before: word("refund_status", refund.status), after: word("refund_status", current.status),
      })];
    },
  });
}
