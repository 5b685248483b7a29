// The screen of the products: search, filters, pages, and new products.

import { html, nothing } from "lit-html";

import { may } from "./access.js";
import { href } from "./address.js";
import { get } from "./api.js";
import { money, name, number, time } from "./formats.js";
import { button, filterForm, heading, pager, table } from "./parts.js";
import { createProduct } from "./product_dialogs.js";
import { visit } from "./shell.js";
import { t } from "./texts.js";

const NEWEST_FIRST = "-created_at";
const FILTERS = ["q", "sku", "in_stock", "max_quantity", "sort", "cursor"];
const SORTS = [NEWEST_FIRST, "name", "price", "-price", "quantity"];

export const products = {
  name: "products",
  scope: null,
  isList: true,
  label: () => t("products.title"),
  title: () => t("products.title"),
  load: ({ query }) => get("/api/products", Object.fromEntries(FILTERS.map((filter) => [filter, query.get(filter)]))),
  view: (page, address) => html`
    ${heading(t("products.title"), may("catalog:write") ? [button(t("products.create"), createProduct, { style: "primary" })]
      : [])}
    ${form(address.query)}
    ${page.items.length ? list(page.items) : html`<p class="none">${t("products.none")}</p>`}
    ${pager("products", null, address, page)}`,
};

function form(query) {
  return filterForm("products", query, [
    { name: "q", type: "search", label: t("products.search") },
    { name: "sku", label: t("product.sku") },
    { name: "in_stock", type: "select", label: t("product.stock"), options: [
      ["", t("list.any")], ["true", t("products.in_stock")], ["false", t("products.out_of_stock")] ] },
    { name: "max_quantity", type: "number", label: t("products.max_quantity"), min: 0, max: 2147483647 },
    { name: "sort", type: "select", label: t("products.sort"),
      options: SORTS.map((sort) => [sort === NEWEST_FIRST ? "" : sort, t(`products.sort_${sort}`)]) },
  ], (values) => visit(href("products", null, values)));
}

function list(items) {
  return table(t("products.title"), [
    { label: t("product.name"), wide: true, content: (item) => html`<a href=${href("product", item.id)}>
      ${name(item.name)}</a>` },
    { label: t("product.sku"), content: (item) => item.sku ? name(item.sku) : nothing },
    { label: t("product.price"), numeric: true, content: (item) => money(item.price) },
    { label: t("product.stock"), numeric: true, content: (item) => number(item.quantity) },
    { label: t("product.updated"), content: (item) => time(item.updated_at) },
  ], items);
}
