// The page: the chosen vendor and account, and everything that follows them.

import { refreshCalls, startCalls } from "./calls.js";
import { authorize, showContract } from "./contract.js";
import { PAGE, act, request } from "./controls.js";
import { build, buildCopyButton, find, setText } from "./dom.js";
import { refreshFaults, showOperations, startFaults } from "./faults.js";
import { refreshInterpretations, showInterpretations } from "./interpretations.js";
import { repeat } from "./polling.js";
import { refreshState, startState } from "./state.js";

let vendor = null;
let account = null;
let refresh = () => {};

function buildChoice(group, value, isChecked, onChoose, ...content) {
  const input = build("input", { type: "radio", name: group, value, checked: isChecked, change: onChoose });
  return build("label", {}, input, build("span", {}, content));
}

function showVendors(vendors) {
  const tabs = vendors.map((one) => buildChoice("vendor", one.slug, one === vendor, () => choose(one), one.name));
  find("vendors").append(...tabs);
  find("vendors").hidden = vendors.length < 2;
}

function showAddresses(grpc) {
  const rest = location.origin + vendor.base_path;
  const rows = [["REST", rest]];
  if (vendor.has_grpc) rows.push(["gRPC-web", location.origin]);
  if (vendor.has_grpc && grpc) rows.push(["gRPC", grpc]);
  if (vendor.token) rows.push(["Access tokens", location.origin + vendor.token.path]);
  const source = `${PAGE}/documents/${vendor.slug}.json`;
  find("addresses").replaceChildren(...rows.flatMap(([name, address]) => [
    build("dt", {}, name), build("dd", {}, build("code", {}, address), buildCopyButton(address, `${name} address`))]),
    build("dt", {}, "Document"), build("dd", {}, build("a", { href: source }, "OpenAPI")));
}

function showAccounts() {
  const rows = vendor.accounts.map((one) => {
    const key = one.key === null ? [build("span", { class: "soft" }, `key from the environment, ${one.variable}`)]
      : [build("code", {}, one.key), buildCopyButton(one.key, `the key of ${one.account}`)];
    const choice = buildChoice("account", one.account, one === account, () => chooseAccount(one), build("b", {}, one.account));
    return build("div", { class: "account" }, choice, build("span", { class: "key" }, key), build("span", { class: "soft about" }, one.about));
  });
  find("accounts").replaceChildren(build("legend", {}, "Try as"), ...rows);
}

function chooseAccount(one) {
  account = one;
  act(() => authorize(vendor, account));
}

async function choose(one) {
  vendor = one;
  account = vendor.accounts[0];
  const title = `${vendor.name}: mock`;
  setText(find("title"), find("vendors").hidden ? title : "Mock");
  document.title = title;
  history.replaceState(null, "", `?vendor=${vendor.slug}${location.hash}`);
  showAccounts();
  showOperations(vendor);
  showInterpretations(vendor, () => refresh());
  await act(async () => {
    showAddresses((await request("/__mock/health")).grpc);
    refresh();
    await showContract(vendor, account, () => refresh());
  });
}

async function refreshAll() {
  await refreshCalls();
  await Promise.all([refreshState(vendor), refreshFaults(), refreshInterpretations(vendor)]);
}

for (const link of document.querySelectorAll("a.skip")) {
  link.addEventListener("click", () => document.querySelector(link.hash).focus());
}

act(async () => {
  const vendors = await request(`${PAGE}/facts.json`);
  const wanted = new URLSearchParams(location.search).get("vendor");
  vendor = vendors.find((one) => one.slug === wanted) ?? vendors[0];
  showVendors(vendors);
  startCalls();
  startState(() => vendor);
  startFaults();
  refresh = repeat(refreshAll);
  await choose(vendor);
});
