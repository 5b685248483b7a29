// Parts that several screens consist of.

import { html, nothing } from "lit-html";

import { href } from "./address.js";
import { number } from "./formats.js";
import { t, word } from "./texts.js";

/** A status as a word on a colored ground. The word alone says everything. */
export function badge(kind, value) {
  return value ? html`<span class="badge" data-value=${value}>${word(kind, value)}</span>` : nothing;
}

/**
 * A table, which narrow screens show as a list of cards.
 *
 * columns: the label, a function that returns the content for a row, and whether the content is a number. The first
 * column is the header of its row. A label can be hidden from sight.
 */
export function table(caption, columns, rows) {
  return html`<table role="table">
    <caption class="visually-hidden">${caption}</caption>
    <thead role="rowgroup"><tr role="row">
      ${columns.map((column) => html`<th role="columnheader" scope="col" class=${style(column)}>
        ${column.hidden ? html`<span class="visually-hidden">${column.label}</span>` : column.label}</th>`)}
    </tr></thead>
    <tbody role="rowgroup">${rows.map((row) => html`<tr role="row">
      ${columns.map((column, index) => cell(column, row, index))}</tr>`)}</tbody>
  </table>`;
}

function cell(column, row, index) {
  const content = column.content(row);
  if (index === 0) return html`<th role="rowheader" scope="row" class=${style(column)}>${content}</th>`;
  // The label is for cards, where the head of the table is out of sight.
  const label = column.hidden ? nothing : html`<span class="label" aria-hidden="true">${column.label}</span>`;
  const empty = content === nothing || content === null;
  return html`<td role="cell" class="${style(column)} ${empty ? "empty" : ""}">${label}<div>${content}</div></td>`;
}

function style(column) {
  return [column.numeric ? "numeric" : "", column.wide ? "wide" : ""].join(" ").trim();
}

/** Names with their values, without those that have none. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== nothing && value !== "");
  return html`<dl class="facts">${known.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** How many rows a list has, and the links to its other pages. */
export function pager(screen, id, address, page) {
  const query = Object.fromEntries(address.query);
  const first = { ...query, cursor: null };
  const next = { ...query, cursor: page.next_cursor };
  return html`<nav class="pager" aria-label=${t("list.pages")}>
    ${total(page)}
    ${query.cursor ? html`<a href=${href(screen, id, first)}>${t("list.first_page")}</a>` : nothing}
    ${page.next_cursor ? html`<a href=${href(screen, id, next)} rel="next">${t("list.next_page")}</a>` : nothing}
  </nav>`;
}

function total(page) {
  if (page.total === undefined) return nothing;
  return html`<span>${t(page.total_is_estimate ? "list.about" : "list.total", { count: page.total })}</span>`;
}

/** A heading of the screen, with what can be done. It gets the focus when the screen opens. */
export function heading(text, actions = []) {
  return html`<header class="heading"><h1 tabindex="-1">${text}</h1><div class="actions">${actions}</div></header>`;
}

/** A button. description: its name for screen readers, where several have the same words. */
export function button(label, action, { style = "", description } = {}) {
  return html`<button type="button" class=${style} aria-label=${description ?? nothing} @click=${action}>${label}</button>`;
}

export function count(value) {
  return html`<span class="count">${number(value)}</span>`;
}

/** The form of a list's filters. fields: of `field`. values: the query. submit: a function of the entered values. */
export function filterForm(screen, query, fields, submit) {
  const entered = (event) => {
    event.preventDefault();
    submit(Object.fromEntries(new FormData(event.target)));
  };
  return html`<form class="filters" role="search" @submit=${entered}>
    ${fields.map((one) => field({ prefix: "filter", value: query.get(one.name) ?? "", ...one }))}
    <div class="buttons"><button class="primary">${t("list.search")}</button><a href=${href(screen)}>${t("list.reset")}</a></div>
  </form>`;
}

/** A labeled field of the filters or of a dialog. */
export function field({ name, label, type = "text", value, hint, error, prefix = "field", ...more }) {
  const id = `${prefix}-${name}`;
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].join(" ").trim() || nothing;
  const common = { id, name, value: value ?? "", described, invalid: error ? "true" : nothing, ...more };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${control(type, common)}
    ${hint ? html`<small id="${id}-hint">${hint}</small>` : nothing}
    ${error ? html`<small id="${id}-error" class="error">${error}</small>` : nothing}
  </div>`;
}

function control(type, { id, name, value, described, invalid, options, required = false, rows = 3, inputmode, max, min }) {
  if (type === "select") {
    return html`<select id=${id} name=${name} aria-describedby=${described} aria-invalid=${invalid}>
      ${options.map(([option, label]) => html`<option value=${option} ?selected=${option === value}>${label}</option>`)}
    </select>`;
  }
  if (type === "textarea") {
    return html`<textarea id=${id} name=${name} rows=${rows} ?required=${required} dir="auto"
      aria-describedby=${described} aria-invalid=${invalid} .defaultValue=${value}></textarea>`;
  }
  return html`<input id=${id} name=${name} type=${type} ?required=${required} dir=${type === "text" ? "auto" : nothing}
    inputmode=${inputmode ?? nothing} min=${min ?? nothing} max=${max ?? nothing} autocomplete="off"
    aria-describedby=${described} aria-invalid=${invalid} .defaultValue=${value}>`;
}

/** One of several choices. choices: [value, label]. */
export function choice({ name, label, value, choices }) {
  return html`<fieldset class="choice"><legend>${label}</legend>
    ${choices.map(([option, text]) => html`<label><input type="radio" name=${name} value=${option}
      ?checked=${option === value}> <span>${text}</span></label>`)}</fieldset>`;
}
