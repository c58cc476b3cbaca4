// The mock's controls: requests to them, and one line about the last that failed.

import { find, setText } from "./dom.js";

export const PAGE = "/__mock/page";

/** Ask a control; return its JSON, or raise an error with the line that the mock gave as its reason. */
export async function request(path, method = "GET", body = undefined) {
  const options = { method, headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The mock does not answer; start it again.");
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(`${method} ${path}: expected JSON, got ${text.slice(0, 200)}`);
  }
  if (!response.ok) throw new Error(answer?.error ?? `${method} ${path}: ${response.status}`);
  return answer;
}

export function showProblem(error) {
  const line = find("problem");
  line.hidden = !error;
  setText(line, error ? error.message : "");
}

/** Run an action of the user's; an error is shown and ends it. */
export async function act(action) {
  try {
    await action();
    showProblem(null);
  } catch (error) {
    showProblem(error);
  }
}
