// What the signed-in user may do. Scopes decide only what the console shows. The API decides what it allows.

import { t, word } from "./texts.js";

let held = null;

/** Set the scopes of the user, or null where the API requires no tokens. */
export function setScopes(scopes) {
  held = scopes && new Set(scopes.map((scope) => scope.replace("storefront/", "")));
}

export function may(scope) {
  return held === null || !scope || held.has(scope);
}

/** Return the claims of an access token, or none if it is not a JWT. They are only shown, so nothing checks them. */
export function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const text = new TextDecoder().decode(Uint8Array.from(atob(payload), (character) => character.charCodeAt(0)));
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Return the scopes in the claims of an access token (RFC 8693, section 4.2). Some issuers call them scp. */
export function scopesOf({ scope, scp }) {
  const scopes = scope ?? scp ?? "";
  return (Array.isArray(scopes) ? scopes : [scopes]).flatMap((text) => String(text).split(" "));
}

let ownName = null;

export function setOwnName(subject) {
  ownName = subject;
}

/** Return who made a change, for people. */
export function actorText(actor) {
  if (ownName !== null && actor === ownName) return t("actor.you");
  return word("actor", actor);
}
