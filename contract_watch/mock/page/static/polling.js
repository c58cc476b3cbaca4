// Repeated requests: each second while the page is visible, less often where a large state makes them slow.

import { find, setText } from "./dom.js";

const INTERVAL = 1000;
const SHARE = 4;
const LONGEST = 5000;

/** Repeat `task` for good; return a function that runs it at once. */
export function repeat(task) {
  let timer = 0;
  let running = false;
  let again = false;

  async function run() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    const start = performance.now();
    try {
      do {
        again = false;
        await task();
      } while (again);
      setStatus("live", true);
    } catch (error) {
      setStatus(error.message, false);
    }
    running = false;
    if (!document.hidden) timer = setTimeout(run, Math.min(LONGEST, Math.max(INTERVAL, SHARE * (performance.now() - start))));
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : run()));
  run();
  return run;
}

function setStatus(text, isLive) {
  const status = find("status");
  setText(status, text);
  status.classList.toggle("is-live", isLive);
}
