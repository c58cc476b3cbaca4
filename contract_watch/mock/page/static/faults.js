// Faults: those that wait, and a form for one more.

import { act, request } from "./controls.js";
import { announce, build, find, setText } from "./dom.js";

let drawn = "";

export async function refreshFaults() {
  draw(await request("/__mock/faults"));
}

function draw(faults) {
  setText(find("faults-count"), faults.length);
  const content = JSON.stringify(faults);
  if (content === drawn) return;
  drawn = content;
  find("faults").replaceChildren(...faults.map((fault) => build("li", {}, describe(fault))));
}

/** Describe a fault by what it has, without what it leaves as it is. */
function describe(fault) {
  const { operation, method, path, ...effects } = fault;
  const target = [method, path, operation].filter(Boolean).join(" ") || "any operation";
  const parts = Object.entries(effects)
    .filter(([, value]) => value !== null && value !== false && value !== 0 && JSON.stringify(value) !== "{}")
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [build("code", {}, target), ` ${parts.join(", ")}`];
}

export function showOperations(vendor) {
  const options = vendor.operations.map(({ id, method, path }) => build("option", { value: id }, `${id} (${method} ${path})`));
  find("fault-operation").replaceChildren(build("option", { value: "" }, "any operation"), ...options);
}

function readForm() {
  const fault = { times: Number(find("fault-times").value) };
  const [operation, status, delay] = ["operation", "status", "delay"].map((name) => find(`fault-${name}`).value);
  if (operation) fault.operation = operation;
  if (status) fault.status = Number(status);
  if (delay) fault.delay = Number(delay);
  if (!status && !fault.delay) throw new Error("A fault needs a status or a delay; give one of them.");
  return fault;
}

export function startFaults() {
  find("fault-form").addEventListener("submit", (event) => {
    event.preventDefault();
    act(async () => {
      draw(await request("/__mock/faults", "POST", readForm()));
      announce("fault added");
    });
  });
  find("faults-clear").addEventListener("click", () => act(async () => {
    draw(await request("/__mock/faults", "DELETE"));
    announce("faults cleared");
  }));
}
