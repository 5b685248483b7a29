// The dialog that requests a refund: of line items, of an amount, or of everything that is left.

import { html, nothing } from "lit-html";

import { call } from "./api.js";
import { openDialog } from "./dialogs.js";
import { amountOf, exact, moneyText, name, typedAmount } from "./formats.js";
import { orderChanges, refundablePayments, refundedUnits, restockedUnits } from "./order_data.js";
import { choice, field } from "./parts.js";
import { t } from "./texts.js";

/** Open the dialog. data: the order with its payments and refunds, as loaded. paymentId: the payment to begin with. */
export function openRefund(data, paymentId) {
  const payments = refundablePayments(data.payments);
  const context = { data, payments, first: payments.find((payment) => payment.id === paymentId) ?? payments[0] };
  openDialog({
    title: t("refund_dialog.title", { number: String(data.order.number) }),
    fields: (values, errors) => fields(context, values, errors),
    summary: (values) => summary(context, values),
    action: (values) => {
      const amount = amountFor(context, values);
      return amount ? t("refund_dialog.action", { amount: moneyText(amount, paymentOf(context, values).currency) })
        : t("refund_dialog.action_without_amount");
    },
    invalid: (values, form) => invalid(context, values, form),
    // Only if the order is as shown: of two people who refund it at the same time, one is told about the other.
    send: (values, key) => call("POST", `/api/orders/${data.order.id}/refunds`, {
      body: body(context, values), key, etag: data.etag,
    }),
    done: ({ body: refund }) => t("refund_dialog.done", { amount: moneyText(refund.amount, refund.currency) }),
    findChanges: () => orderChanges(data),
  });
}

function fields(context, values, errors) {
  const { data, payments, first } = context;
  const mode = values.mode ?? "lines";
  return html`
    ${payments.length > 1 ? choice({ name: "payment_id", label: t("refund_dialog.payment"), value: first.id,
      choices: payments.map((payment) => [payment.id, t("refund_dialog.payment_choice", {
        reference: payment.reference ?? t("payment.no_reference"), left: moneyText(payment.amount_left, payment.currency) })]),
    }) : nothing}
    ${choice({ name: "mode", label: t("refund_dialog.what"), value: "lines", choices: [
      ["lines", t("refund_dialog.lines")], ["amount", t("refund_dialog.amount")], ["rest", t("refund_dialog.rest")] ] })}
    ${mode === "lines" ? data.order.order_items.map((item) => line(context, item, errors)) : nothing}
    ${mode === "rest" ? nothing : field({ name: "amount", inputmode: "decimal",
      label: mode === "lines" ? t("refund_dialog.other_amount") : t("refund_dialog.amount_in",
        { currency: paymentOf(context, values).currency }),
      hint: mode === "lines" ? t("refund_dialog.other_amount_hint") : t("refund_dialog.amount_hint"), error: errors.amount })}
    ${field({ name: "reason", type: "textarea", label: t("refund_dialog.reason"), hint: t("refund_dialog.reason_hint"),
      error: errors.reason, rows: 2 })}`;
}

function line({ data }, item, errors) {
  const left = item.quantity - refundedUnits(data.refunds, item.id);
  if (left <= 0) return nothing;
  const canReturn = item.quantity - restockedUnits(data, item) > 0;
  return html`<div class="line">
    ${field({ name: `units-${item.id}`, type: "number", min: 0, max: left, value: 0, error: errors[`units-${item.id}`],
      label: html`${name(item.product_name)}`, hint: t("refund_dialog.units_left", { count: left }) })}
    ${canReturn ? html`<label><input type="checkbox" name="restock-${item.id}" checked>
      <span>${t("refund_dialog.restock")}</span></label>` : html`<span>${t("refund_dialog.no_restock")}</span>`}
  </div>`;
}

function paymentOf({ payments, first }, values) {
  return payments.find((payment) => payment.id === values.payment_id) ?? first;
}

function linesOf({ data }, values) {
  return data.order.order_items.map((item) => ({
    item,
    quantity: /^\d{1,9}$/.test(values[`units-${item.id}`] ?? "") ? Number(values[`units-${item.id}`]) : 0,
    restock: values[`restock-${item.id}`] !== undefined,
  })).filter((one) => one.quantity > 0);
}

/** Return the amount as a decimal text, or null while there is none. */
function amountFor(context, values) {
  if (values.mode === "rest") return paymentOf(context, values).amount_left;
  const typed = typedAmount(values.amount);
  if (values.mode === "amount" || typed || values.amount?.trim()) return typed;
  const sum = linesOf(context, values).reduce(
    (total, { item, quantity }) => total + exact(item.price_at_purchase) * BigInt(Math.trunc(quantity)), 0n);
  return sum > 0n ? amountOf(sum) : null;
}

function summary(context, values) {
  const payment = paymentOf(context, values);
  const amount = amountFor(context, values);
  if (!amount || !values.mode) return t("refund_dialog.nothing_yet");
  const lines = values.mode === "lines" ? linesOf(context, values) : [];
  const returned = lines.filter((line) => line.restock).map(
    ({ item, quantity }) => t("order.units_of", { count: quantity, product: item.product_name }));
  return html`<p>${t("refund_dialog.money", { amount: moneyText(amount, payment.currency),
      left: moneyText(payment.amount_left, payment.currency) })}</p>
    <p>${returned.length ? t("refund_dialog.stock", { units: returned.join(", ") }) : t("refund_dialog.no_stock")}</p>`;
}

function invalid(context, values, form) {
  const lines = values.mode === "lines" ? linesOf(context, values) : [];
  const errors = values.mode === "lines" ? wrongUnits(context, values, form, lines) : {};
  const payment = paymentOf(context, values);
  const amount = amountFor(context, values);
  const left = t("refund_dialog.too_much", { left: moneyText(payment.amount_left, payment.currency) });
  const isEntered = values.mode === "amount" || (values.amount ?? "").trim() !== "";
  if (values.mode !== "rest" && isEntered && !(typedAmount(values.amount) > 0)) errors.amount = t("problem.amount");
  // The prices are in the order's currency.
  else if (lines.length && !isEntered && payment.currency !== context.data.order.currency) errors.amount = t("problem.amount");
  else if (amount && values.mode !== "rest" && exact(amount) > exact(payment.amount_left)) errors.amount = left;
  return errors;
}

function wrongUnits({ data }, values, form, lines) {
  const errors = {};
  for (const item of data.order.order_items) {
    const input = form.elements[`units-${item.id}`];
    if (!input) continue;
    const units = Number(input.value);
    const left = item.quantity - refundedUnits(data.refunds, item.id);
    const canReturn = item.quantity - restockedUnits(data, item);
    const key = input.name;
    // What is no number at all is an empty value.
    if (input.validity.badInput || !/^\d*$/.test(input.value) || units > left) {
      errors[key] = t("refund_dialog.too_many_units", { count: left });
    } else if (values[`restock-${item.id}`] !== undefined && units > canReturn) {
      errors[key] = t("refund_dialog.too_many_to_return", { count: canReturn });
    } else if (!lines.length) errors[key] = t("refund_dialog.choose_units");
  }
  return errors;
}

function body(context, values) {
  const lines = linesOf(context, values).map(({ item, quantity, restock }) => (
    { order_item_id: item.id, quantity, restock }));
  const typed = values.mode === "rest" ? null : typedAmount(values.amount);
  return {
    payment_id: paymentOf(context, values).id,
    ...(values.mode === "lines" ? { lines } : {}),
    ...(typed ? { amount: typed } : {}),
    ...(values.reason.trim() ? { reason: values.reason.trim() } : {}),
  };
}
