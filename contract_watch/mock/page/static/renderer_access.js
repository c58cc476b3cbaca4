// Names for the renderer's controls that have none, so that a screen reader says what they are for.

const NAMES = [
  ["textarea.body-param__text", "Request body"],
  ["select.examples-select-element", "Example"],
  ["select#servers", "Server"],
  ["select[data-param-name]", "Value"],
];

// Its headings leave levels out.
const LEVELS = [
  ["h3.opblock-tag, .models > h4", 2],
  ["h4.opblock-title, h4.opblock-title_normal", 3],
  [".responses-inner h4, .opblock-section h5, .responses-inner h5", 4],
];

function improve(node) {
  for (const [selector, name] of NAMES) {
    for (const control of node.querySelectorAll(`${selector}:not([aria-label])`)) control.setAttribute("aria-label", name);
  }
  for (const block of node.querySelectorAll("pre.microlight:not([tabindex])")) block.setAttribute("tabindex", "0");
  for (const [selector, level] of LEVELS) {
    for (const heading of node.querySelectorAll(selector)) heading.setAttribute("aria-level", level);
  }
  for (const table of node.querySelectorAll("table[role=region]")) table.removeAttribute("role");
  // The page has a main part already, and this is within it.
  const operations = node.querySelector("main#operations:not([role])");
  operations?.setAttribute("role", "group");
  operations?.setAttribute("aria-label", "Operations");
}

/** Name the controls below `node`, now and whenever the renderer draws more. */
export function nameControls(node) {
  let pending = 0;
  new MutationObserver(() => {
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      improve(node);
    });
  }).observe(node, { childList: true, subtree: true });
}
