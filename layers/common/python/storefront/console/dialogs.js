// Dialogs that change something. Each sends one request, and shows what came of it.

import { html, nothing, render } from "lit-html";

import { NoResponse, Problem, SignedOut } from "./api.js";
import { announce, reload, signedOut, visit } from "./shell.js";
import { t } from "./texts.js";

/** Problems that mean: something changed since the dialog opened. */
const CONFLICTS = new Set([
  "already-acknowledged", "invalid-transition", "order-not-found", "payment-disputed", "product-not-found",
  "reconciliation-entry-not-found", "refund-conflict", "refund-too-large", "stale-etag", "too-many-units",
]);

const MESSAGES = {
  "idempotency-key-in-flight": "problem.in_flight",
  "idempotency-key-reused": "problem.key_reused",
  "invalid-request": "problem.invalid",
  "product-busy": "problem.busy",
  "stale-etag": "problem.stale",
};

/** Problems of one field. */
const FIELDS = { "insufficient-stock": "delta", "sku-taken": "sku", "refund-too-large": "amount" };

/**
 * Open a dialog.
 *
 * title: what it is about.
 * fields: a function of the values and of the errors by field. It returns the fields.
 * summary: a function of the values. It says what will happen to money and stock.
 * action: the words on the button, or a function of the values. danger: whether it cannot be undone.
 * invalid: a function of the values and of the form. It returns errors by field. Nothing is sent while there are any.
 * send: a function of the values and of the Idempotency-Key. It returns the response.
 * done: a function of the response. It returns the message about what happened. next: a function of the response. It
 * returns the address to show then, if not the same screen.
 * findChanges: a function of the form. It returns what changed since the dialog opened, as texts. After that, the same
 * request can be sent again only if `resumes` is true.
 *
 * A dialog is open, `sending`, open again with a `problem`, or `ended`: then it can only be closed.
 */
export function openDialog(options) {
  const element = document.createElement("dialog");
  // One key for all attempts, so that a second click or a retry does nothing twice.
  const state = { ...options, element, key: crypto.randomUUID(), values: {}, errors: {} };
  element.setAttribute("aria-labelledby", "dialog-title");
  element.addEventListener("cancel", (event) => { if (state.sending) event.preventDefault(); });
  element.addEventListener("close", () => closed(state));
  document.body.append(element);
  draw(state);
  read(state);
  element.showModal();
}

function draw(state) {
  render(view(state), state.element);
}

function read(state) {
  state.values = Object.fromEntries(new FormData(state.element.querySelector("form")));
  draw(state);
}

function view(state) {
  const { values, sending, ended, isSignedOut } = state;
  const label = typeof state.action === "function" ? state.action(values) : state.action;
  return html`<form novalidate @submit=${(event) => submit(event, state)} @input=${() => read(state)}>
    <h2 id="dialog-title">${state.title}</h2>
    <div ?inert=${sending || (ended && !isSignedOut)}>${state.fields?.(values, state.errors) ?? nothing}</div>
    <div class="end">
      <div class="summary" aria-live="polite">${state.summary?.(values) ?? nothing}</div>
      <div role="alert">${state.problem ? failure(state) : nothing}</div>
      <div class="buttons">
        <button type="button" ?disabled=${sending} @click=${() => state.element.close()}>${t("dialog.close")}</button>
        ${ended ? nothing : html`<button class=${state.danger ? "danger" : "primary"} ?disabled=${sending}>
          ${sending ? t("dialog.sending") : label}</button>`}
      </div>
    </div>
  </form>`;
}

function failure({ problem, changes, ended }) {
  return html`<div class="failure">
    <p>${problem.message}</p>
    ${list(problem.others)}
    ${changes?.length ? html`<h3>${t("dialog.changed")}</h3>${list(changes)}` : nothing}
    ${changes && (changes.length || ended) ? html`<p>${t(ended ? "dialog.ended" : "dialog.again")}</p>` : nothing}
  </div>`;
}

function list(texts) {
  return texts?.length ? html`<ul>${texts.map((text) => html`<li>${text}</li>`)}</ul>` : nothing;
}

function closed(state) {
  state.element.remove();
  // A request may have taken effect, even if its response was lost.
  if (state.wasSent && !state.sending && !state.isDone) reload();
  if (state.isSignedOut) signedOut();
}

async function submit(event, state) {
  event.preventDefault();
  if (state.sending || state.ended) return;
  read(state);
  const form = state.element.querySelector("form");
  Object.assign(state, { problem: null, changes: null, errors: state.invalid?.(state.values, form) ?? {} });
  if (Object.keys(state.errors).length) {
    refocus(state);
    return;
  }
  Object.assign(state, { sending: true, wasSent: true });
  draw(state);
  let response;
  try {
    response = await state.send(state.values, state.key);
  } catch (error) {
    await explain(error, state, form);
    return;
  }
  await finish(response, state);
}

async function finish(response, state) {
  state.isDone = true;
  state.element.close();
  await (state.next ? visit(state.next(response)) : reload());
  announce(state.done(response));
  // The button that opened the dialog may be gone.
  if (document.activeElement === document.body) document.querySelector("h1")?.focus();
}

async function explain(error, state, form) {
  state.errors = fieldErrors(error, state);
  state.problem = { message: messageOf(error), others: otherErrors(error, state) };
  if (CONFLICTS.has(error.kind) && state.findChanges) {
    // Without a response, the message alone must do.
    state.changes = await state.findChanges(form).catch(() => []);
    // With a refused ETag, something changed, even if it is not in sight.
    state.ended = !state.resumes && (error.kind === "stale-etag" || state.changes.length > 0);
  }
  // What was entered can still be copied.
  if (error instanceof SignedOut) state.ended = state.isSignedOut = true;
  state.sending = false;
  // The user may have gone to another screen meanwhile.
  if (state.element.isConnected) refocus(state);
  else announce(state.problem.message);
}

function refocus(state) {
  draw(state);
  read(state);
  // The button was disabled meanwhile, or is gone.
  state.element.querySelector("[aria-invalid=true], .buttons button:last-of-type").focus();
}

/** Return the words about an error, for people. */
export function messageOf(error) {
  if (error instanceof SignedOut) return t("sign_in.ended_explained");
  if (error instanceof NoResponse) return t("problem.no_response");
  if (!(error instanceof Problem)) {
    // A mistake in the console itself. The browser's tools show where.
    console.error(error);
    return t("problem.no_response");
  }
  if (Object.hasOwn(MESSAGES, error.kind)) return t(MESSAGES[error.kind]);
  if (Object.hasOwn(FIELDS, error.kind)) return t("problem.invalid");
  if (error.status === 403) return t("problem.forbidden");
  if (error.status === 429) return t("problem.busy");
  // An error of the server says nothing about what it did before.
  return error.status >= 500 ? t("problem.no_response") : error.message;
}

function fieldOf(rule, state) {
  const field = String(rule.pointer).split("/")[1];
  return Object.hasOwn(state.values, field) ? field : null;
}

function fieldErrors(error, state) {
  if (Object.hasOwn(FIELDS, error.kind)) return { [FIELDS[error.kind]]: t(`problem.${error.kind}`) };
  const rules = (error.errors ?? []).filter((rule) => fieldOf(rule, state));
  return Object.fromEntries(rules.map((rule) => [fieldOf(rule, state), rule.detail]));
}

function otherErrors(error, state) {
  if (Object.hasOwn(FIELDS, error.kind)) return [];
  return (error.errors ?? []).filter((rule) => !fieldOf(rule, state)).map((rule) => rule.detail);
}
