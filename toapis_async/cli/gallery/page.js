"use strict";
const cards = [...document.querySelectorAll("article")];
const buttons = [...document.querySelectorAll("[data-show]")];
const search = document.querySelector("input");
const dialog = document.querySelector("dialog");
let status = "";

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of cards) {
    const fits = (!status || card.dataset.status === status) && words.every((word) => card.dataset.text.includes(word));
    card.hidden = !fits;
    shown += fits;
  }
  document.querySelector("#shown").textContent = status || words.length ? `${shown} on this page` : "";
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    status = button.dataset.show;
    for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
    filter();
  });
}
search.addEventListener("input", filter);

const links = () => [...document.querySelectorAll("article:not([hidden]) .pictures a")];
let current = null;
function show(link) {
  current = link;
  dialog.querySelector("img").src = link.href;
  dialog.querySelector("p").textContent = link.dataset.caption;
  if (!dialog.open) dialog.showModal();
}
document.querySelector("main").addEventListener("click", (event) => {
  const link = event.target.closest(".pictures a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest(".close")) dialog.close();
});
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = links();
  show(all[(all.indexOf(current) + step + all.length) % all.length]);
});
