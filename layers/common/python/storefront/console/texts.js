// The texts of the console. texts.json has all of them, so that they can be translated in one place.

import { numberText } from "./formats.js";
import { TEXTS } from "./texts.json";

// The language of the texts decides the plural forms. Numbers are in the language of the browser.
const PLURALS = new Intl.PluralRules("en");

// A name that is written from right to left, or that has marks for it, can change the direction of the text behind it.
// Two marks around it end its effect.
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
// Marks that would end the isolation.
const DIRECTION_MARKS = /[\u202a-\u202e\u2066-\u2069]/g;
const ISOLATE = "\u2068";
const END_ISOLATE = "\u2069";

/**
 * Return a text, with values in the places of {name}. A text with plural forms uses the value {count}.
 * Throws an Error for a missing text, so that the tests find it.
 */
export function t(key, values = {}) {
  const entry = TEXTS[key];
  if (entry === undefined) throw new Error(`texts.json has no ${key}`);
  const text = typeof entry === "string" ? entry : entry[PLURALS.select(values.count)] ?? entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}

/** Return the text of a value of the API, or the value itself: what a later release adds has no text yet. */
export function word(kind, value) {
  const key = `${kind}.${value}`;
  return Object.hasOwn(TEXTS, key) ? t(key) : value;
}

function shown(value) {
  if (typeof value === "number") return numberText(value);
  if (!RIGHT_TO_LEFT.test(value)) return String(value);
  return `${ISOLATE}${String(value).replace(DIRECTION_MARKS, "")}${END_ISOLATE}`;
}
