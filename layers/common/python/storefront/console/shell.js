// The frame around the screens: navigation, loading, messages.

import { html, nothing, render } from "lit-html";

import { may } from "./access.js";
import { current, href } from "./address.js";
import { NoResponse, Problem, SignedOut } from "./api.js";
import { t } from "./texts.js";

const MESSAGE_TIME = 15_000; // Milliseconds. The screen shows the result for longer.

const state = { screens: [], onSignIn: null, onSignOut: null, content: nothing, message: "", loading: false, loads: 0,
  user: null };

/**
 * Show the screens. Each has a name (its address), the scope that it needs, and functions: `title` of the data, `load` and
 * `view`. Those in the navigation have a `label`. The others can be `partOf` one of them. A list is `isList`.
 */
export async function startShell(screens, { user, onSignIn, onSignOut }) {
  Object.assign(state, { screens, user, onSignIn, onSignOut });
  window.addEventListener("hashchange", () => open());
  await open({ isFirst: true });
}

/** Go to an address, and show its screen. */
export async function visit(target) {
  if (target === location.hash) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  await open();
}

/** Load the data of the screen again, and show them. */
export async function reload() {
  await show(current());
}

/** Say what happened, also to screen readers. */
export function announce(message) {
  hideMessage();
  // Screen readers notice only a change, also if the same message follows.
  setTimeout(() => { state.message = message; draw(); });
  state.timer = setTimeout(hideMessage, MESSAGE_TIME);
}

function hideMessage() {
  clearTimeout(state.timer);
  state.message = "";
  draw();
}

/** Show that the session has ended. */
export function signedOut() {
  state.content = endedNotice();
  draw();
}

function endedNotice() {
  return notice(t("sign_in.ended"), t("sign_in.ended_explained"), t("sign_in.again"), state.onSignIn);
}

/** A screen with a text and a button only. */
function notice(title, text, label, action) {
  return html`<section class="notice"><h1 tabindex="-1">${title}</h1><p>${text}</p>
    ${label ? html`<p><button type="button" class="primary" @click=${action}>${label}</button></p>` : nothing}</section>`;
}

/** Show a screen that needs no data, without the navigation. */
export function showNotice(...parts) {
  Object.assign(state, { screens: [], content: notice(...parts), message: "", loading: false });
  draw();
  document.title = t("console.title");
}

function visibleScreens() {
  return state.screens.filter((screen) => may(screen.scope));
}

function screenOf(address) {
  return visibleScreens().find((screen) => screen.name === address.screen);
}

async function open({ isFirst = false } = {}) {
  const address = current();
  if (!screenOf(address)) {
    // The first screen that the user may see. A former address stays out of the history.
    const [first] = visibleScreens();
    if (first) location.replace(href(first.name));
    else showNotice(t("access.none"), t("access.none_explained"));
    return;
  }
  state.message = "";
  // It was about the screen before.
  document.querySelector("dialog")?.close();
  await show(address);
  // Filters that somebody entered and did not apply.
  for (const form of document.querySelectorAll("form.filters")) form.reset();
  // Screen readers start at the heading of the new screen.
  if (!isFirst) document.querySelector("h1")?.focus();
  window.scrollTo(0, 0);
}

async function show(address) {
  const screen = screenOf(address);
  state.loading = true;
  // What was requested first can arrive last.
  state.loads += 1;
  const load = state.loads;
  draw();
  const shown = await contentOf(screen, address);
  if (load !== state.loads) return;
  Object.assign(state, { content: shown.content, loading: false });
  document.title = t("console.screen_title", { screen: shown.title });
  draw();
}

async function contentOf(screen, address) {
  try {
    const data = await screen.load(address);
    return { title: screen.title(data), content: screen.view(data, address) };
  } catch (error) {
    return { title: t("problem.title"), content: failureOf(error, screen, address) };
  }
}

function failureOf(error, screen, address) {
  if (error instanceof SignedOut) return endedNotice();
  if (screen.isList && [400, 422].includes(error.status)) {
    return html`<div class="failure" role="alert">${t("list.wrong_filter", { detail: error.message })}</div>
      ${screen.view({ items: [], next_cursor: null }, address)}`;
  }
  if (error.status === 404) return notice(t("problem.not_found"), error.message);
  if (error instanceof Problem) return notice(t("problem.title"), error.message, t("problem.retry"), reload);
  // Without a response, or with one that the console does not understand. The browser's tools show the second kind.
  if (!(error instanceof NoResponse)) console.error(error);
  return notice(t("problem.title"), t("problem.not_loaded"), t("problem.retry"), reload);
}

const place = document.getElementById("console");
place.replaceChildren();

function draw() {
  render(frame(), place);
}

function frame() {
  const screen = screenOf(current());
  const here = screen?.partOf ?? screen?.name;
  return html`<a class="skip" href="#content" @click=${skip}>${t("console.skip")}</a>
    ${state.screens.length ? html`<header class="top">
      <span class="brand">${t("console.brand")}</span>
      <nav aria-label=${t("console.navigation")}>${visibleScreens().filter((screen) => screen.label).map(
        ({ name, label }) => html`<a href=${href(name)} aria-current=${name === here ? "page" : nothing}>${label()}</a>`)}</nav>
      ${state.user ? html`<span class="user"><span class="visually-hidden">${t("console.user")}</span>
        <bdi>${state.user}</bdi>
        <button type="button" class="link" @click=${state.onSignOut}>${t("sign_in.out")}</button></span>` : nothing}
    </header>` : nothing}
    <div role="status" class="message" @click=${hideMessage}>${state.message ? html`<p>${state.message}</p>` : nothing}</div>
    <main id="content" tabindex="-1" aria-busy=${state.loading ? "true" : "false"}>${state.content}</main>`;
}

function skip(event) {
  // The part of the address behind the # is the screen's.
  event.preventDefault();
  document.getElementById("content").focus();
}
