// The ledger with a script: letters half composed are not searched for, and what is ticked is counted. All works without.
"use strict";

const words = document.getElementById("filter-q");
if (words) {
  // While an input method composes, what stands in the field is not yet what somebody means.
  words.addEventListener("input", (event) => { if (event.isComposing) event.stopImmediatePropagation(); }, true);
  words.addEventListener("compositionend", () => words.dispatchEvent(new Event("input", { bubbles: true })));
  // Leaving the field after the search has run would only run it again.
  words.addEventListener("change", (event) => event.stopPropagation());
}

// ---- an answer that is no ledger (the session is over, say) is shown as the page that it is
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "ledger") return;
  const answer = event.detail.xhr;
  if (answer.status === 422) event.detail.shouldSwap = true;
  if (answer.responseURL && new URL(answer.responseURL).pathname !== "/findings") {
    event.detail.shouldSwap = false;
    window.location.assign(answer.responseURL);
  }
});

// ---- what is ticked
const boxes = () => [...document.querySelectorAll('input[type=checkbox][name="finding"]')];

function tell() {
  const said = document.querySelector("[data-chosen-count]");
  const all = document.querySelector("[data-choose-all]");
  if (!said || !all) return;
  const every = boxes();
  const n = every.filter((box) => box.checked).length;
  said.textContent = n ? said.dataset.some.replace("{n}", n) : said.dataset.none;
  said.closest("form").toggleAttribute("data-any", n > 0);
  said.closest("form").querySelector("button").disabled = n === 0;
  all.hidden = false;
  all.checked = n > 0 && n === every.length;
  all.indeterminate = n > 0 && n < every.length;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches('[data-choose-all], [name="finding"]')) tell();
});
document.body.addEventListener("htmx:afterSettle", () => {
  tell();
  for (const button of document.querySelectorAll("button[data-print][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
});
window.addEventListener("pageshow", tell);

// ---- a small window closes when somebody clicks elsewhere or presses Escape
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.pop[open]")) if (!open.contains(event.target)) open.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.pop[open]")) { open.open = false; open.querySelector("summary").focus(); }
});
