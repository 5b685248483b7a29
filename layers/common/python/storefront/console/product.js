// The screen of one product: what buyers see, its stock, and the ledger.

import { html, nothing } from "lit-html";

import { actorText, may } from "./access.js";
import { href } from "./address.js";
import { call, get } from "./api.js";
import { money, name, number, time } from "./formats.js";
import { button, facts, heading, pager, table } from "./parts.js";
import { adjustStock, deleteProduct, editProduct } from "./product_dialogs.js";
import { t, word } from "./texts.js";

export const product = {
  name: "product",
  partOf: "products",
  scope: null,
  title: ({ product: { name: title } }) => title,
  load: async ({ id, query }) => {
    const path = `/api/products/${encodeURIComponent(id)}`;
    const ledger = may("catalog:write") ? get(`${path}/stock-movements`, { cursor: query.get("cursor") }) : null;
    const [{ body, etag }, movements] = await Promise.all([call("GET", path), ledger]);
    return { product: body, etag, movements };
  },
  view: (data, address) => html`
    ${heading(name(data.product.name), may("catalog:write") ? [
      button(t("product.adjust"), () => adjustStock(data), { style: "primary" }),
      button(t("product.edit"), () => editProduct(data)),
      button(t("product.delete"), () => deleteProduct(data), { style: "danger" }),
    ] : [])}
    ${about(data.product)}
    ${data.movements ? ledger(data, address) : nothing}`,
};

function about(shown) {
  const metadata = Object.entries(shown.metadata ?? {}).map(([key, value]) => [name(key), name(value)]);
  return html`<section>${facts([
    [t("product.stock"), number(shown.quantity)],
    [t("product.price"), money(shown.price)],
    [t("product.sku"), shown.sku ? name(shown.sku) : nothing],
    [t("product.created"), time(shown.created_at)],
    [t("product.updated"), time(shown.updated_at)],
    ...metadata,
  ])}
  ${shown.description ? html`<h2>${t("product.description")}</h2><p class="text">${name(shown.description)}</p>` : nothing}
  </section>`;
}

function ledger({ product: shown, movements }, address) {
  return html`<section><h2>${t("product.ledger")}</h2>
    ${table(t("product.ledger"), [
      { label: t("movement.time"), content: (row) => time(row.occurred_at) },
      { label: t("movement.kind"), content: (row) => word("movement_kind", row.kind) },
      { label: t("movement.delta"), numeric: true, content: (row) => signed(row.delta) },
      { label: t("movement.quantity"), numeric: true, content: (row) => number(row.quantity) },
      { label: t("movement.reason"), wide: true, content: (row) => row.reason ? name(row.reason) : nothing },
      { label: t("movement.actor"), content: (row) => name(actorText(row.actor)) },
      { label: t("movement.order"), content: (row) => row.order_id
        ? html`<a href=${href("order", row.order_id)}>${t("attention.open_order")}</a>` : nothing },
    ], movements.items)}
    ${pager("product", shown.id, address, movements)}</section>`;
}

function signed(delta) {
  const text = new Intl.NumberFormat(undefined, { signDisplay: "exceptZero" }).format(delta);
  return html`<data value=${delta}>${text}</data>`;
}
