// Sign-in with OpenID Connect: the code flow with PKCE (RFC 7636), for a client without a secret.
// Tokens are in the memory of this page only. What must survive the way to the issuer and back is no token.

import * as oauth from "oauth4webapi";

const PENDING = "storefront_sign_in";
const SIGNED_OUT = "storefront_signed_out";
const EARLY = 30; // Seconds before its end when a token is renewed, because clocks differ.

const others = new BroadcastChannel("storefront_sign_out");
let server;
let client;
let settings;
let tokens = null;
let renewal = null;

const here = () => `${location.origin}${location.pathname}`;
const now = () => Date.now() / 1000;

// Only for issuers of this machine. Any other address needs TLS.
const options = () => ({ [oauth.allowInsecureRequests]: settings.issuer.startsWith("http://127.0.0.1:") });

/** Read the issuer's metadata, unless it was read before the way to the issuer. Throws an error if it cannot be read. */
export async function prepare(given) {
  settings = given;
  client = { client_id: settings.client_id };
  const known = JSON.parse(sessionStorage.getItem(PENDING) ?? "{}").server;
  server = returns() && known?.issuer === settings.issuer ? known : await readMetadata();
}

async function readMetadata() {
  const issuer = new URL(settings.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...options() });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** Return whether this page load is the way back from the issuer. */
export function returns() {
  const query = new URLSearchParams(location.search);
  // Without a sign-in under way, it is an address from the history.
  return sessionStorage.getItem(PENDING) !== null && query.has("state") && (query.has("code") || query.has("error"));
}

export function hasSignedOut() {
  return sessionStorage.getItem(SIGNED_OUT) !== null;
}

/** Go to the issuer. It shows its page, or sends a user with a session back at once. */
export async function start() {
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    hash: location.hash,
    server,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  sessionStorage.removeItem(SIGNED_OUT);
  const target = new URL(server.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: here(),
    scope: settings.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  location.assign(target);
}

/** Exchange the code of the issuer for tokens. Throws an error if the issuer refused, or if the response is not ours. */
export async function finish() {
  const url = new URL(location.href);
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "{}");
  sessionStorage.removeItem(PENDING);
  // Before anything can fail: a code does not stay in the address or in the history.
  history.replaceState(null, "", `${here()}${pending.hash ?? ""}`);
  const parameters = oauth.validateAuthResponse(server, client, url, pending.state);
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, here(), pending.verifier, options(),
  );
  keep(await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: pending.nonce }));
}

/** Return the access token, renewed if it is about to end, or null. */
export async function accessToken() {
  if (tokens && tokens.end - EARLY < now()) await renew();
  return tokens?.access;
}

/**
 * Get a new access token. Return false if only signing in again helps. Throws an error if the issuer does not respond.
 * Requests at the same time share one renewal.
 */
export function renew() {
  renewal ??= renewOnce().finally(() => { renewal = null; });
  return renewal;
}

async function renewOnce() {
  if (!tokens?.refresh) return false;
  try {
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh, options());
    keep(await oauth.processRefreshTokenResponse(server, client, response));
    return true;
  } catch (error) {
    // Only this says that the refresh token is worth nothing any more.
    if (error.error !== "invalid_grant") throw error;
    tokens = null;
    return false;
  }
}

/** Call a function when another page of the console signs out. */
export function onSignOutElsewhere(action) {
  others.onmessage = async () => {
    await forget();
    action();
  };
}

/** Revoke the tokens, end the issuer's session, and come back. The other pages of the console sign out, too. */
export async function end() {
  others.postMessage(null);
  await forget();
  if (!server.end_session_endpoint) {
    location.replace(here());
    return;
  }
  // Cognito calls the parameter logout_uri. No id_token_hint: a token does not belong into an address.
  const target = new URL(server.end_session_endpoint);
  const parameters = { client_id: client.client_id, post_logout_redirect_uri: here(), logout_uri: here() };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  location.assign(target);
}

function keep(response) {
  tokens = {
    access: response.access_token,
    refresh: response.refresh_token ?? tokens?.refresh,
    end: now() + (response.expires_in ?? 3600),
  };
}

async function forget() {
  const refreshToken = tokens?.refresh;
  tokens = null;
  sessionStorage.setItem(SIGNED_OUT, "yes");
  if (refreshToken && server.revocation_endpoint) {
    // If it cannot be revoked, the session must end all the same. An access token ends by itself within the hour.
    await oauth.revocationRequest(server, client, oauth.None(), refreshToken, options()).catch(() => {});
  }
}
