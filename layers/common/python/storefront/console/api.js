// Requests to the API.

import { withQuery } from "./address.js";

const TIMEOUT = 30_000; // Milliseconds. API Gateway gives up after 30 seconds.

let accessToken = async () => null;
let onRefusedToken = async () => false;

/** Set where access tokens come from, and what tries to get a new one after the API refused one. */
export function useTokens(source, renew) {
  accessToken = source;
  onRefusedToken = renew;
}

/** A problem of the API (RFC 9457), or an error of API Gateway or of something before it, with any body. */
export class Problem extends Error {
  constructor(status, body) {
    super(textOf(body?.detail) ?? textOf(body?.message) ?? `HTTP ${status}`);
    this.status = status;
    this.kind = (textOf(body?.type) ?? "").replace("/docs#", "");
    const errors = Array.isArray(body?.errors) ? body.errors : [];
    this.errors = errors.filter((rule) => typeof rule?.detail === "string");
  }
}

function textOf(value) {
  return typeof value === "string" ? value : null;
}

/** No response arrived, so nobody knows whether the request took effect. */
export class NoResponse extends Error {}

/** Access was lost, and only signing in again helps. */
export class SignedOut extends Error {}

/**
 * Send a request, and return the body and the ETag of the response. Throws Problem, NoResponse or SignedOut.
 *
 * query: parameters. Those that are empty are left out. body: sent as JSON. key: the Idempotency-Key.
 * etag: the only ETag for which the request may take effect.
 */
export async function call(method, path, { query = {}, body, key, etag } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (etag) headers["If-Match"] = etag;
  const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  let response = await send(withQuery(path, query), request);
  if (response.status === 401) {
    if (!(await renewed())) throw new SignedOut();
    response = await send(withQuery(path, query), request);
    if (response.status === 401) throw new SignedOut();
  }
  const content = await contentOf(response);
  if (!response.ok) throw new Problem(response.status, content);
  return { body: content, etag: response.headers.get("ETag") };
}

/** Return the body of a GET request. */
export async function get(path, query) {
  return (await call("GET", path, { query })).body;
}

/** Return all rows of a list that is short as a rule, page by page. */
export async function all(path, query = {}) {
  const rows = [];
  let cursor = null;
  do {
    const page = await get(path, { ...query, page_size: 100, cursor });
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return rows;
}

async function renewed() {
  try {
    return await onRefusedToken();
  } catch (error) {
    throw new NoResponse(String(error));
  }
}

async function send(url, request) {
  try {
    const token = await accessToken();
    const headers = token ? { ...request.headers, Authorization: `Bearer ${token}` } : request.headers;
    return await fetch(url, { ...request, headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
  } catch (error) {
    throw new NoResponse(String(error));
  }
}

async function contentOf(response) {
  try {
    const text = await response.text();
    return text ? JSON.parse(text) : {};
  } catch (error) {
    // The connection ended in the middle, or something other than the API responded.
    if (response.ok || error.name !== "SyntaxError") throw new NoResponse(String(error));
    return {};
  }
}
