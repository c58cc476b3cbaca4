// The contract, rendered by Swagger UI, with requests to try that go to this mock.

import { PAGE, request } from "./controls.js";
import { build, find } from "./dom.js";
import { nameControls } from "./renderer_access.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
let renderer = null;
let bundle = null;
let showing = 0; // the number of the contract that was chosen last

/** Load the renderer once: it is large, and the rest of the page does not wait for it. */
function loadRenderer() {
  bundle ??= new Promise((resolve, reject) => {
    const script = build("script", { src: `${PAGE}/swagger-ui-bundle.js` });
    script.addEventListener("load", () => resolve(window.SwaggerUIBundle));
    script.addEventListener("error", () => reject(new Error("The renderer did not load; reload the page.")));
    document.head.append(script);
  });
  return bundle;
}

function followScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

export async function showContract(vendor, account, onCall) {
  const number = ++showing;
  followScheme();
  const [SwaggerUI, spec] = await Promise.all([loadRenderer(), request(`${PAGE}/documents/${vendor.slug}.json`)]);
  if (number !== showing) return;
  spec.servers = spec.servers.map((server) => ({ ...server, url: new URL(server.url, location.origin).href.replace(/\/$/, "") }));
  const node = build("div");
  find("renderer").replaceChildren(node);
  nameControls(node);
  await new Promise((resolve) => {
    renderer = SwaggerUI({
      spec,
      domNode: node,
      validatorUrl: null,
      tryItOutEnabled: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      onComplete: resolve,
      responseInterceptor: (response) => {
        onCall();
        return response;
      },
    });
  });
  if (number === showing) await authorize(vendor, account);
}

/** Ask the mock's token endpoint for an access token; it lasts as long as the vendor's do. */
async function fetchToken({ path, auth }, key) {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  const [client, secret] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  if (auth === "basic") headers.Authorization = `Basic ${btoa(key)}`;
  else [["client_id", client], ["client_secret", secret]].forEach(([name, value]) => form.set(name, value));
  const response = await fetch(path, { method: "POST", headers, body: form.toString() });
  if (!response.ok) throw new Error(`The token endpoint answered ${response.status}; use Authorize.`);
  return (await response.json()).access_token;
}

/** Fill in the test key of an account, or an access token for it; a key from the environment is the user's to enter. */
export async function authorize(vendor, account) {
  if (!renderer) return;
  const authorized = renderer.authSelectors.authorized()?.keySeq().toArray() ?? [];
  if (authorized.length) renderer.authActions.logout(authorized);
  if (vendor.token && account.key !== null) {
    const asked = renderer;
    const token = await fetchToken(vendor.token, account.key);
    if (asked !== renderer) return;
    for (const scheme of vendor.token.schemes) authorizeToken(scheme, token);
  }
  for (const [scheme, { value, username, password }] of Object.entries(account.authorizations)) {
    if (value === undefined) renderer.preauthorizeBasic(scheme, username, password);
    else renderer.preauthorizeApiKey(scheme, value);
  }
}

function authorizeToken(name, token) {
  const schema = renderer.specSelectors.securityDefinitions().get(name);
  const isBearer = schema.get("type") === "http";
  if (isBearer) renderer.preauthorizeApiKey(name, token);
  else renderer.authActions.authorize({ [name]: { name, schema, token: { access_token: token, token_type: "Bearer" } } });
}

dark.addEventListener("change", followScheme);
