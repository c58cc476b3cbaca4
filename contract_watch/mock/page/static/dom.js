// Everything that a server, a document or a request said reaches the page through here, as text and never as markup.

// Characters that show nothing, or turn the order of those around them, are written as escapes.
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

export const find = (id) => document.getElementById(id);

export const clean = (value) =>
  String(value).replace(INVISIBLE, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);

/** Build an element; `tag` and the names of `attributes` are this page's own, functions are listeners. */
export function build(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else element.setAttribute(name, clean(value));
  }
  for (const child of children.flat()) {
    element.append(child instanceof Node ? child : document.createTextNode(clean(child)));
  }
  return element;
}

/** Set an element's text, and leave the selection alone if it has that text already. */
export function setText(element, text) {
  const cleaned = clean(text);
  if (element.textContent !== cleaned) element.textContent = cleaned;
}

export const formatJson = (value) => JSON.stringify(value, null, 2);

export function announce(text) {
  setText(find("announcement"), text);
}

/** Build a button that copies `text`, and says so. */
export function buildCopyButton(text, name) {
  const button = build("button", { type: "button", class: "copy", "aria-label": `Copy ${name}` }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      setText(button, "copied");
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      setText(button, "selected");
    }
    setTimeout(() => setText(button, "copy"), 1500);
  });
  return button;
}
