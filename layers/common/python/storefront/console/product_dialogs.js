// The dialogs that create, change and delete a product, and adjust its stock.

import { html } from "lit-html";

import { href } from "./address.js";
import { call } from "./api.js";
import { openDialog } from "./dialogs.js";
import { moneyText, numberText, typedAmount } from "./formats.js";
import { field } from "./parts.js";
import { t } from "./texts.js";

const FIELDS = ["name", "sku", "price", "description"];
const MAX_UNITS = 2147483647;
const WHOLE_NUMBER = /^\s*[+-]?\d+\s*$/;

/** Open the dialog for a new product. */
export function createProduct() {
  openDialog({
    title: t("product_dialog.create"),
    action: t("products.create"),
    fields: (values, errors) => html`${productFields({ price: "" }, errors)}
      ${field({ name: "quantity", type: "number", label: t("product.stock"), value: 0, min: 0, max: MAX_UNITS,
        error: errors.quantity })}`,
    summary: ({ quantity, price }) => typedAmount(price) ? t("product_dialog.create_summary", {
      count: Number(quantity), price: moneyText(typedAmount(price)) }) : "",
    invalid: (values) => ({ ...invalid(values), ...wholeNumber(values.quantity, 0, "quantity") }),
    send: (values, key) => call("POST", "/api/products", {
      body: { ...entered(values), quantity: Number(values.quantity) }, key }),
    done: ({ body }) => t("product_dialog.created", { product: body.name }),
    next: ({ body }) => href("product", body.id),
  });
}

/** Open the dialog that changes a product, if nobody else has changed it since it was loaded. */
export function editProduct({ product, etag }) {
  const base = { product, etag };
  openDialog({
    title: t("product_dialog.edit", { product: product.name }),
    action: t("product_dialog.save"),
    fields: (values, errors) => productFields(product, errors),
    summary: (values) => priceChange(base.product, values),
    invalid: (values) => Object.keys(changed(base.product, values)).length ? invalid(values)
      : { name: t("product_dialog.nothing_changed") },
    // Only what was changed here, so that a change of another field stays.
    send: (values) => call("PUT", `/api/products/${product.id}`, { body: changed(base.product, values), etag: base.etag }),
    done: ({ body }) => t("product_dialog.saved", { product: body.name }),
    // The entries stay in the form, and the next attempt is about the product as it is now.
    resumes: true,
    findChanges: async (form) => {
      const { body, etag: current } = await call("GET", `/api/products/${product.id}`);
      const texts = differences(base.product, body);
      follow(form, base.product, body);
      Object.assign(base, { product: body, etag: current });
      return texts;
    },
  });
}

function productFields(product, errors) {
  return html`
    ${field({ name: "name", label: t("product.name"), value: product.name, required: true, error: errors.name })}
    ${field({ name: "price", label: t("product.price"), value: product.price, inputmode: "decimal",
      hint: t("product_dialog.price_hint"), required: true, error: errors.price })}
    ${field({ name: "sku", label: t("product.sku"), value: product.sku, hint: t("product_dialog.sku_hint"),
      error: errors.sku })}
    ${field({ name: "description", type: "textarea", label: t("product.description"), value: product.description, rows: 5,
      error: errors.description })}`;
}

function invalid({ name, price }) {
  return {
    ...(name.trim() ? {} : { name: t("problem.required") }),
    ...(typedAmount(price) > 0 ? {} : { price: t("problem.amount") }),
  };
}

function wholeNumber(text, least, field) {
  const isRight = WHOLE_NUMBER.test(text) && Number(text) >= least && Math.abs(Number(text)) <= MAX_UNITS;
  return isRight ? {} : { [field]: t("problem.whole_number") };
}

function entered({ name, sku, price, description }) {
  return { name: plain(name), sku: plain(sku), price: typedAmount(price), description: plain(description) };
}

/** Return the fields that have another value than the product, apart from line ends and outer white space. */
function changed(product, values) {
  const next = entered(values);
  return Object.fromEntries(FIELDS.filter((key) => next[key] !== plain(product[key])).map((key) => [key, next[key]]));
}

function plain(text) {
  return (text ?? "").replace(/\r\n?/g, "\n").trim() || null;
}

/** Give each field that the user left as it was the value that the product has now. */
function follow(form, before, after) {
  for (const key of FIELDS) {
    if (plain(form.elements[key].value) === plain(before[key])) form.elements[key].value = after[key] ?? "";
  }
}

function priceChange(product, { price }) {
  const next = typedAmount(price ?? "");
  if (!next || next === product.price) return "";
  return t("product_dialog.price_change", { before: moneyText(product.price), after: moneyText(next) });
}

function differences(before, after) {
  const texts = {
    name: [t("product.name"), String],
    sku: [t("product.sku"), (value) => value ?? t("product.none")],
    price: [t("product.price"), moneyText],
    quantity: [t("product.stock"), numberText],
    description: [t("product.description"), (value) => value ?? t("product.none")],
  };
  return Object.entries(texts).filter(([key]) => before[key] !== after[key]).map(([key, [label, text]]) =>
    t("dialog.change", { field: label, before: text(before[key]), after: text(after[key]) }));
}

/** Open the dialog that adds units to the stock, or removes some. */
export function adjustStock({ product }) {
  openDialog({
    title: t("adjust.title", { product: product.name }),
    action: t("product.adjust"),
    fields: (values, errors) => html`
      ${field({ name: "delta", label: t("adjust.delta"), hint: t("adjust.delta_hint"), inputmode: "text", required: true,
        error: errors.delta })}
      ${field({ name: "reason", label: t("adjust.reason"), hint: t("adjust.reason_hint"), required: true,
        error: errors.reason })}`,
    summary: ({ delta = "" }) => WHOLE_NUMBER.test(delta) && product.quantity + Number(delta) >= 0 ? t("adjust.summary", {
      before: product.quantity, after: product.quantity + Number(delta) }) : t("adjust.stock", { count: product.quantity }),
    invalid: ({ delta, reason }) => ({
      ...(WHOLE_NUMBER.test(delta) && Number(delta) === 0 ? { delta: t("adjust.not_zero") } : wholeNumber(delta, -MAX_UNITS, "delta")),
      ...(reason.trim() ? {} : { reason: t("problem.required") }),
    }),
    // Without the ETag: sales in the meantime do not change how many units came in.
    send: ({ delta, reason }, key) => call("POST", `/api/products/${product.id}/stock-adjustments`, {
      body: { delta: Number(delta), reason: reason.trim() }, key }),
    done: ({ body }) => t("adjust.done", { product: product.name, count: body.quantity }),
  });
}

/** Open the dialog that deletes a product, if nobody has changed it since it was loaded. */
export function deleteProduct({ product, etag }) {
  openDialog({
    title: t("delete.title", { product: product.name }),
    action: t("product.delete"),
    danger: true,
    summary: () => t("delete.summary", { count: product.quantity }),
    send: () => call("DELETE", `/api/products/${product.id}`, { etag }),
    done: () => t("delete.done", { product: product.name }),
    next: () => href("products"),
    findChanges: async () => differences(product, (await call("GET", `/api/products/${product.id}`)).body),
  });
}
