// The journal: newest call first, each expandable, with a filter.

import { act, request } from "./controls.js";
import { announce, build, find, formatJson, setText } from "./dom.js";

const HIDDEN = new Set(["at", "method", "path", "status", "operation", "vendor", "number", "reason", "body", "answer"]);
const MOST = 200; // newest calls that are shown
const rows = new Map();

/** A call is named by its number and its time: numbers begin at 1 again when the mock does. */
const nameCall = (call) => `${call.number} ${call.at}`;

const isUnmatched = (call) => Boolean(call.reason) && !call.operation;

function formatTime(at) {
  const moment = new Date(at * 1000);
  return Number.isNaN(moment.getTime()) ? "" : moment.toISOString().slice(11, 23);
}

export async function refreshCalls() {
  const calls = (await request(`/__mock/calls?limit=${MOST}`)).slice(-MOST);
  const present = new Set(calls.map(nameCall));
  for (const [name, row] of rows) {
    if (!present.has(name)) {
      row.item.remove();
      rows.delete(name);
    }
  }
  const list = find("calls");
  for (const call of calls) {
    const name = nameCall(call);
    if (!rows.has(name)) {
      const row = buildRow(call);
      rows.set(name, row);
      list.prepend(row.item);
    }
  }
  filterCalls();
}

/** Build a row; what it holds is built when it is opened first, as most are not. */
function buildRow(call) {
  const unmatched = isUnmatched(call);
  const summary = build("summary", {},
    build("span", { class: "method" }, call.method ?? ""),
    build("span", { class: "path" }, call.path ?? ""),
    build("span", { class: `code code-${Math.floor(call.status / 100)}` }, call.status ?? ""),
    build("time", { title: "UTC" }, formatTime(call.at)),
    unmatched ? build("strong", { class: "detail unmatched" }, "unmatched")
      : call.operation ? build("span", { class: "detail" }, [call.vendor, call.operation].filter(Boolean).join(" · ")) : []);
  const details = build("details", { class: unmatched ? "call is-unmatched" : "call" }, summary);
  details.addEventListener("toggle", () => details.append(...buildParts(call)), { once: true });
  const words = `${formatJson(call)} ${unmatched ? "unmatched" : ""}`.toLowerCase();
  return { item: build("li", {}, details), words };
}

function buildParts(call) {
  const parts = [];
  if (call.reason) parts.push(build("p", { class: "reason" }, call.reason));
  const rest = Object.fromEntries(Object.entries(call).filter(([name]) => !HIDDEN.has(name)));
  for (const [title, value] of [["Request", call.body], [`Response ${call.status}`, call.answer], ["More", rest]]) {
    parts.push(build("h3", {}, title));
    const text = typeof value === "string" ? value : value === null || value === undefined ? "no body" : formatJson(value);
    parts.push(build("pre", { tabindex: "0", "aria-label": title }, text));
  }
  return [build("div", { class: "parts" }, parts)];
}

function filterCalls() {
  const wanted = find("calls-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { item, words } of rows.values()) {
    item.hidden = !wanted.every((word) => words.includes(word));
    shown += item.hidden ? 0 : 1;
  }
  setText(find("calls-count"), wanted.length ? `${shown} of ${rows.size}` : rows.size === MOST ? `newest ${MOST}` : rows.size);
  const empty = find("calls-empty");
  empty.hidden = shown > 0;
  setText(empty, rows.size ? "No call matches the filter." : "No calls yet. Send one here, or from your code.");
}

export function startCalls() {
  find("calls-filter").addEventListener("input", filterCalls);
  find("calls-clear").addEventListener("click", () => act(async () => {
    await request("/__mock/calls", "DELETE");
    await refreshCalls();
    announce("calls cleared");
  }));
}
