// Numbers, money and times in the locale of the browser. Each element also has the exact value.

import { html, nothing } from "lit-html";

const NUMBERS = new Intl.NumberFormat();
const TIMES = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const COUNTRIES = new Intl.DisplayNames(undefined, { type: "region" });
const EXACT_TIMES = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

let shopCurrency;

/** Set the currency of prices. Orders and payments have currencies of their own. */
export function setShopCurrency(currency) {
  shopCurrency = currency;
}

/** Return an amount of the API, a decimal text, as a text for people. Exact: it is not rounded, and no number is binary. */
export function moneyText(amount, currency = shopCurrency) {
  if (!/^[A-Z]{3}$/.test(currency ?? "")) return `${amount} ${currency ?? ""}`.trim();
  const usual = new Intl.NumberFormat(undefined, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  const needed = (amount.split(".")[1] ?? "").replace(/0+$/, "").length;
  const places = Math.min(Math.max(usual, needed), 20);
  const options = { style: "currency", currency, minimumFractionDigits: places, maximumFractionDigits: places };
  return new Intl.NumberFormat(undefined, options).format(amount);
}

export function money(amount, currency = shopCurrency) {
  if (amount === null || amount === undefined) return nothing;
  const sent = `${amount} ${currency ?? ""}`.trim();
  return html`<data class="money" value=${sent} title=${sent}>${moneyText(amount, currency)}</data>`;
}

export function numberText(value) {
  return NUMBERS.format(value);
}

export function number(value) {
  return html`<data value=${value} title=${value}>${numberText(value)}</data>`;
}

export function time(value) {
  if (!value) return nothing;
  const moment = new Date(value);
  return html`<time datetime=${value} title="${EXACT_TIMES.format(moment)} (${value})">${TIMES.format(moment)}</time>`;
}

/** Return a name or a note as text of its own direction. It can have any characters, and any length. */
export function name(value) {
  return value === null || value === undefined ? nothing : html`<bdi>${value}</bdi>`;
}

/** Return the name of a country, in the language of the browser. code: two letters. */
export function country(code) {
  return `${COUNTRIES.of(code)} (${code})`;
}

const PLACES = 12; // Decimal places with which amounts are added. No currency has more.

/** Return an amount as a whole number, to calculate with. amount: a decimal text of the API. */
export function exact(amount) {
  const [whole, fraction = ""] = amount.replace("-", "").split(".");
  const value = BigInt(whole + fraction.padEnd(PLACES, "0").slice(0, PLACES));
  return amount.startsWith("-") ? -value : value;
}

/** Return the decimal text of a whole number of `exact`, with at least two places. It is not negative. */
export function amountOf(value) {
  const digits = String(value).padStart(PLACES + 1, "0");
  return `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES).replace(/0{1,10}$/, "")}`;
}

/**
 * Return what a person typed as a decimal text, or null if it is no amount. A comma or a point starts the cents.
 * There are no thousands separators, because 1.000 is a thousand for some people, and one for others.
 */
export function typedAmount(text) {
  const found = /^\s*(\d{1,8})(?:[.,](\d{1,2}))?\s*$/.exec(text ?? "");
  return found ? `${found[1]}.${(found[2] ?? "").padEnd(2, "0")}` : null;
}
