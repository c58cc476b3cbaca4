// Interpretations of what the documents leave open: a choice for each.

import { act, request } from "./controls.js";
import { announce, build, find, setText } from "./dom.js";

let selects = new Map();

export function showInterpretations(vendor, onChange) {
  const entries = Object.entries(vendor.interpretations);
  selects = new Map(entries.map(([name, values]) => [name, buildSelect(vendor, name, values, onChange)]));
  setText(find("interpretations-count"), entries.length);
  find("interpretations").replaceChildren(
    ...[...selects].map(([name, select]) => build("label", {}, build("span", {}, name), select)));
}

function buildSelect(vendor, name, values, onChange) {
  const change = (event) => act(async () => {
    await request("/__mock/interpretations", "PUT", { [vendor.slug]: { [name]: event.target.value } });
    announce(`${name} is ${event.target.value}`);
    await onChange();
  });
  return build("select", { change }, values.map((value) => build("option", { value }, value)));
}

export async function refreshInterpretations(vendor) {
  const current = (await request("/__mock/interpretations"))[vendor.slug] ?? {};
  for (const [name, select] of selects) {
    if (name in current && document.activeElement !== select) select.value = current[name];
  }
}
