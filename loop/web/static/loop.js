// What pages do a little better with a script; everything works without it.
"use strict";

// ---- menus close when somebody clicks elsewhere or presses Escape
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// ---- nothing typed is lost: a form with data-draft keeps what is in it in this browser until it has been done, one with
// data-draft-tab in this tab alone, because the computer may be anybody's
const DRAFTS = "loop-draft:";
const place = (form) => ("draftTab" in form.dataset ? sessionStorage : localStorage);
const kept = (form) => DRAFTS + document.documentElement.dataset.reader + ":" + (form.dataset.draftTab ?? form.dataset.draft);
const typed = (form) => [...form.elements].filter(
  (one) => one.name && one.name !== "csrf" && !["hidden", "file", "password", "submit", "button"].includes(one.type));

function keep(form) {
  const values = typed(form).map((one) => [one.name, one.type === "checkbox" || one.type === "radio" ? one.checked : one.value, one.value]);
  try { place(form).setItem(kept(form), JSON.stringify(values)); } catch { /* a full or closed store keeps no draft */ }
}

function restore(form) {
  const found = place(form).getItem(kept(form));
  if (!found) return;
  const seen = {};
  for (const [name, value, its] of JSON.parse(found)) {
    const alike = typed(form).filter((one) => one.name === name && (typeof value !== "boolean" || one.value === its));
    const nth = seen[name + (typeof value === "boolean" ? its : "")] = (seen[name + (typeof value === "boolean" ? its : "")] ?? -1) + 1;
    const one = alike[nth];
    if (!one) continue;
    if (typeof value === "boolean") one.checked = value; else if (!one.value || one.defaultValue === one.value) one.value = value;
  }
}

// Once something was done its draft is done too: the page after it greets with a notice, or tells a code. Signing out leaves no draft behind.
const sent = sessionStorage.getItem("loop-sent");
sessionStorage.removeItem("loop-sent");
if (sent && document.querySelector(".notice, .told-once")) for (const drafts of [localStorage, sessionStorage]) drafts.removeItem(sent);
for (const form of document.querySelectorAll('form[action="/sign-out"]')) {
  form.addEventListener("submit", () => {
    for (const drafts of [localStorage, sessionStorage]) for (const key of Object.keys(drafts)) if (key.startsWith(DRAFTS)) drafts.removeItem(key);
  });
}

for (const form of document.querySelectorAll("form[data-draft], form[data-draft-tab]")) {
  // A page that shows a refusal has what was typed already, and knows better.
  if (!form.hasAttribute("data-refused")) restore(form);
  form.addEventListener("input", () => keep(form));
  form.addEventListener("change", () => keep(form));
}

// ---- a form is sent once, however often its button is pressed
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "get") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  if (form.dataset.draft || form.dataset.draftTab) sessionStorage.setItem("loop-sent", kept(form));
  form.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
});

// ---- whoever opens a page has read what they were told about it
for (const form of document.querySelectorAll("form[data-seen]")) {
  fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true }).catch(() => {});
}

// ---- boxes that tick all others
for (const all of document.querySelectorAll("input[data-ticks]")) {
  const boxes = () => document.querySelectorAll(`input[type=checkbox][name="${all.dataset.ticks}"]`);
  all.hidden = false;
  if (all.closest("[data-only-script]")) all.closest("[data-only-script]").hidden = false;
  all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; });
}

// ---- buttons that only a script can serve
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// ---- on a page that came back refused, the first thing that is wrong is where the reader begins
const wrong = document.querySelector("[aria-invalid=true]") || document.querySelector("[role=alert]");
if (wrong) { if (!wrong.matches("input, select, textarea")) wrong.tabIndex = -1; wrong.focus(); }
