// The start of the console.

import { claimsOf, scopesOf, setOwnName, setScopes } from "./access.js";
import { useTokens } from "./api.js";
import { attention } from "./attention.js";
import { setShopCurrency } from "./formats.js";
import { order } from "./order.js";
import { orders } from "./orders.js";
import { paymentEvents } from "./payment_events.js";
import { product } from "./product.js";
import { products } from "./products.js";
import { showNotice, startShell } from "./shell.js";
import * as signIn from "./sign_in.js";
import { t } from "./texts.js";

/** The screens, in the order of a shop's day. Those with a label are in the navigation. */
const SCREENS = [attention, orders, order, products, product, paymentEvents];

async function main() {
  // A page from the browser's memory has the tokens of a session that may have ended.
  window.addEventListener("pageshow", (event) => { if (event.persisted) loadAgain(); });
  const response = await fetch("/console/settings.json");
  if (!response.ok) throw new Error(`settings: ${response.status}`);
  const settings = await response.json();
  setShopCurrency(settings.currency);
  if (!settings.auth) return startShell(SCREENS, {});
  if (!settings.issuer) return showNotice(t("sign_in.not_set_up"), t("sign_in.not_set_up_explained"));
  return startWithSignIn(settings);
}

async function startWithSignIn(settings) {
  try {
    await signIn.prepare(settings);
    if (!signIn.returns()) return signIn.hasSignedOut() ? showSignedOut() : await signIn.start();
    await signIn.finish();
  } catch (error) {
    console.warn(`Sign-in failed: ${error.error ?? error.code ?? error.name}`);
    return showNotice(t("sign_in.failed"), t("sign_in.failed_explained"), t("sign_in.again"), loadAgain);
  }
  const claims = claimsOf(await signIn.accessToken());
  setScopes(scopesOf(claims));
  setOwnName(claims.sub);
  useTokens(signIn.accessToken, signIn.renew);
  signIn.onSignOutElsewhere(loadAgain);
  const user = claims.username ?? claims.sub ?? t("console.unknown_user");
  return startShell(SCREENS, { user: String(user), onSignIn: signIn.start, onSignOut: signOut });
}

function loadAgain() {
  location.reload();
}

/** Sign out. Nothing stays on the page, because the browser may keep it. */
function signOut() {
  showSignedOut();
  return signIn.end();
}

function showSignedOut() {
  showNotice(t("sign_in.is_out"), t("sign_in.is_out_explained"), t("sign_in.in"), signIn.start);
}

main().catch((error) => {
  console.error(error);
  showNotice(t("problem.title"), t("problem.not_loaded"), t("problem.retry"), loadAgain);
});
