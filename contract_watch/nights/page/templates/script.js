"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  // How old the data is: a page that stays open, or that no night has replaced, must say so.
  const age = document.getElementById("age");
  const tellAge = () => {
    const hours = (Date.now() - Date.parse(facts.finished)) / 3600000;
    const days = Math.floor(hours / 24);
    age.textContent = hours < 1 ? "less than an hour old" : hours < 48 ? `${Math.floor(hours)} hours old` : `${days} days old`;
    const stale = document.getElementById("stale");
    stale.hidden = hours <= facts.staleHours;
  };
  tellAge();
  setInterval(tellAge, 60000);
  // Filters hide causes; sections without any left stay, because their verdict does not change.
  const form = document.getElementById("filters");
  const causes = all(".cause").map((node) => ({ node, text: node.dataset.text.toLowerCase() }));
  const count = document.getElementById("count");
  const filter = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = ["vendor", "axis", "severity", "state"].map((name) => [name, form.elements[name].value]);
    let shown = 0;
    for (const { node, text } of causes) {
      const fits = wanted.every(([name, value]) => !value || node.dataset[name] === value) && words.every((word) => text.includes(word));
      node.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${causes.length} causes`;
  };
  form.hidden = causes.length === 0;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !form.hidden) {
      event.preventDefault();
      form.elements.text.focus();
    } else if (event.key === "Escape" && document.activeElement === form.elements.text) {
      form.reset();
    }
  });
  filter();
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const done = await copy(document.getElementById(button.dataset.copy).textContent);
    button.focus();
    button.textContent = done ? "copied" : "select the text and copy it";
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
  for (const button of all("button[data-copy]")) button.hidden = false;
  // A link to a cause opens it.
  const open = () => {
    const node = location.hash && document.getElementById(location.hash.slice(1));
    if (node && node.matches("details")) {
      node.hidden = false;
      node.open = true;
      node.scrollIntoView();
      node.querySelector("summary").focus();
    }
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => all("details.cause").slice(0, 200).forEach((node) => { node.open = true; }));
})();
