// What the pages do by themselves: messages as they come, copying, keys.
"use strict";

const MOST_ROWS = 100;

function live(place) {
  const rows = document.getElementById("rows");
  const source = new EventSource(`${place.dataset.live}?mark=${encodeURIComponent(place.dataset.mark)}`);
  let silence = 0;
  const heard = () => { clearTimeout(silence); place.classList.remove("lost"); };
  source.addEventListener("open", heard);
  source.addEventListener("quiet", heard);
  source.addEventListener("rows", (event) => {
    heard();
    const piece = document.createElement("template");
    piece.innerHTML = `<table><tbody>${event.data}</tbody></table>`;
    for (const row of [...piece.content.querySelectorAll("tr")].reverse()) put(rows, row);
    document.getElementById("empty").hidden = true;
    while (rows.rows.length > MOST_ROWS) rows.rows[rows.rows.length - 1].remove();
  });
  source.addEventListener("refused", (event) => {
    const count = document.getElementById("refused");
    if (count) count.textContent = Number(event.data) ? event.data : "";
  });
  // An answer ends the stream and the browser comes again at once; only a longer silence is worth a word.
  source.addEventListener("error", () => {
    clearTimeout(silence);
    silence = setTimeout(() => place.classList.add("lost"), 3000);
  });
}

// A row takes the place of itself, or the one that its id, which grows with time, gives it.
function put(rows, row) {
  const old = document.getElementById(row.id);
  if (old) {
    const focused = old.contains(document.activeElement);
    old.replaceWith(row);
    if (focused) row.querySelector("a").focus();
    return;
  }
  row.classList.add("fresh");
  rows.insertBefore(row, [...rows.rows].find((one) => one.id < row.id) ?? null);
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent.trim();
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    document.execCommand("copy");
  }
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 1500);
}

function step(by) {
  const links = [...document.querySelectorAll("tr.row a")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  "/": () => document.getElementById("q")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  c: () => document.querySelector("[data-copy]")?.click(),
  h: () => location.assign("/console/"),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
const place = document.getElementById("live");
if (place) live(place);
