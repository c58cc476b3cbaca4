// The state of the chosen vendor as a table: a row for each object, a column for each property that some object has.

import { PAGE, act, request } from "./controls.js";
import { announce, build, find, formatJson, setText } from "./dom.js";

let drawn = "";

export async function refreshState(vendor) {
  const { count, rows } = (await request(`${PAGE}/state.json?vendor=${vendor.slug}`))[vendor.slug] ?? { count: 0, rows: [] };
  setText(find("state-count"), count);
  setText(find("state-note"), rows.length < count ? `The newest ${rows.length} of ${count}.` : "");
  find("state-empty").hidden = count > 0;
  find("state-scroll").hidden = count === 0;
  const content = vendor.slug + formatJson(rows);
  if (content !== drawn) {
    drawn = content;
    draw(rows);
  }
}

function draw(rows) {
  const objects = rows.map((row) => (row !== null && typeof row === "object" && !Array.isArray(row) ? row : { value: row }));
  const columns = [...new Set(objects.flatMap((one) => Object.keys(one)))];
  const head = build("tr", {}, columns.map((name) => build("th", { scope: "col" }, name)));
  const body = objects.map((one) => build("tr", {}, columns.map((name) => buildCell(one, name))));
  find("state").replaceChildren(build("thead", {}, head), build("tbody", {}, body));
}

function buildCell(object, name) {
  if (!Object.hasOwn(object, name)) return build("td", { class: "absent", title: "absent" }, "–");
  const value = object[name];
  if (typeof value === "string") return build("td", {}, value === "" ? build("span", { class: "soft" }, '""') : value);
  return build("td", { class: "json" }, JSON.stringify(value));
}

export function startState(getVendor) {
  find("state-reset").addEventListener("click", () => act(async () => {
    await request("/__mock/state", "DELETE");
    await refreshState(getVendor());
    announce("state reset");
  }));
}
