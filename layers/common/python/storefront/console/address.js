// The address of a screen, behind the # of the console's address. It is never sent to a server.

/** Return the screen, the ID and the query of the current address: #/orders?status=pending or #/order/some-id. */
export function current() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [screen, id = ""] = path.split("/");
  return { screen, id: decoded(id), query: new URLSearchParams(query) };
}

/** Return the address of a screen. query: an object. Values that are empty are left out. */
export function href(screen, id, query = {}) {
  return withQuery(id ? `#/${screen}/${encodeURIComponent(id)}` : `#/${screen}`, query);
}

/** Return an address with a query. Values that are empty are left out. */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // A % that starts no code.
    return text;
  }
}
