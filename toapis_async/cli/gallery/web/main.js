// The page put together: what is asked for, what fits it, and who shows it.

const DEFAULTS = { tab: "pictures", words: "", sort: "newest", height: innerWidth < 720 ? "140" : "220", status: "", model: "", size: "", reason: "", costFrom: "", costTo: "", from: "", to: "" };
const FILTERS = ["status", "model", "size", "reason", "costFrom", "costTo", "from", "to"];
const TABS = ["pictures", "trouble", "charts"];

const first = JSON.parse(find("#data").textContent);
let results = new Results(first);
let pictures = [];
let trouble = [];
const view = { ...DEFAULTS, ...Object.fromEntries([...new URLSearchParams(location.hash.slice(1))].filter(([name]) => name in DEFAULTS)) };
if (!TABS.includes(view.tab)) view.tab = DEFAULTS.tab;

const selection = new Selection(() => {
  grid.mark();
  troubles.mark();
  drawSelection(find("#chosen"), chosen(), { selection, shown, compare: (left, right) => comparison.open(left, right) });
});
const viewer = new Viewer(find("#viewer"), { selection, reasons: () => results.reasons, closed: (shot) => {
  const index = pictures.indexOf(shot);
  if (view.tab === "pictures" && index >= 0) grid.focus(index);
} });
const comparison = new Comparison(find("#compare"), { reasons: () => results.reasons });
const open = (shots, index) => viewer.open(shots, index);
const grid = new Grid(find("#pictures"), { selection, open });
const troubles = new Trouble(find("#trouble"), { selection, open, only: (slug) => set({ reason: slug }) });

const chosen = () => [...selection.keys].map((key) => results.byKey.get(key)).filter(Boolean);
const shown = () => (view.tab === "trouble" ? trouble : view.tab === "pictures" ? pictures : [...pictures, ...trouble]);

function set(changes) {
  Object.assign(view, changes);
  if ((view.status && view.status !== "saved") || view.reason) {
    if (view.tab === "pictures" && ("status" in changes || "reason" in changes)) view.tab = "trouble";
  }
  remember();
  fillFilters();
  refresh();
  scrollTo(0, 0);
}

// The view is kept in the address, so that loading the page again keeps it; browsers allow few changes per second.
let remembering;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(writeAddress, 250);
}

function writeAddress() {
  const different = Object.entries(view).filter(([name, value]) => value !== DEFAULTS[name]);
  try {
    history.replaceState(null, "", `#${new URLSearchParams(different)}`);
  } catch {
    // Some browsers refuse that to pages of the file system; then it is kept in memory only.
  }
}

function refresh({ keep = false } = {}) {
  pictures = results.select(results.pictures, view);
  trouble = results.select(results.trouble, view);
  for (const tab of TABS) {
    find(`#${tab}`).hidden = tab !== view.tab;
    find(`#tab-${tab}`).setAttribute("aria-selected", String(tab === view.tab));
    find(`#tab-${tab}`).tabIndex = tab === view.tab ? 0 : -1;
  }
  find("#tab-pictures b").textContent = count(pictures.length);
  find("#tab-trouble b").textContent = count(trouble.length);
  find("#tab-trouble").classList.toggle("none", !results.trouble.length);
  if (view.tab === "pictures") showPictures(keep);
  if (view.tab === "trouble") trouble = troubles.show(trouble, results.groups);
  if (view.tab === "charts") drawCharts(find("#charts"), [...pictures, ...trouble]);
  const inForce = FILTERS.filter((name) => view[name]).length;
  find("#filter b").textContent = inForce || "";
  viewer.renew(shown());
}

function showPictures(keep) {
  grid.empty.hidden = pictures.length > 0;
  grid.show(pictures, Math.min(400, Math.max(90, Number(view.height) || 220)), { keep });
  if (pictures.length) return;
  const other = trouble.length ? make("button", { type: "button", class: "quiet", onclick: () => set({ tab: "trouble" }) }, `Show ${noun(trouble.length, "result")} without an image`) : null;
  const all = make("button", { type: "button", class: "quiet", onclick: () => set({ ...DEFAULTS, sort: view.sort, height: view.height }) }, "Show everything");
  fill(grid.empty, results.pictures.length ? "No image fits. " : "There is no image yet. ", other, " ", all);
}

function drawTotals(data) {
  const { pictures: files, items: all } = results;
  const cost = all.reduce((sum, item) => sum + (item.cost ?? 0), 0);
  const unsaid = all.filter((item) => item.status === "saved" && item.cost === undefined).length;
  const states = STATUSES.slice(1).map((status) => [status, all.filter((item) => item.status === status).length]);
  const parts = [noun(files.length, "image"), cost ? usd(cost) : null, unsaid ? `cost of ${count(unsaid)} not said` : null];
  find("#sum").replaceChildren(
    parts.filter(Boolean).join(" · "),
    ...states.filter(([, number]) => number).map(([status, number]) =>
      make("button", { type: "button", class: `state ${status}`, onclick: () => set({ ...DEFAULTS, sort: view.sort, height: view.height, tab: "trouble", status }) }, `${count(number)} ${status}`)),
  );
  document.title = data.title;
}

function drawFilters() {
  const choices = {
    status: results.values((shot) => shot.item.status),
    model: results.values((shot) => shot.item.model),
    size: results.values((shot) => shot.size),
    reason: results.values((shot) => shot.item.reason),
  };
  for (const [name, values] of Object.entries(choices)) {
    const write = name === "reason" ? (slug) => [results.reasons.get(slug)?.title, results.reasons.get(slug)?.detail].filter(Boolean).join(": ") : String;
    find(`#filters [name=${name}]`).replaceChildren(
      make("option", { value: "" }, "any"),
      ...values.slice(0, 500).map(([value, number]) => make("option", { value, dir: "auto" }, `${write(value).slice(0, 80)} (${count(number)})`)),
    );
  }
  fillFilters();
}

function fillFilters() {
  const fields = { "#search": "words", "#sort": "sort", "#height": "height", ...Object.fromEntries(FILTERS.map((name) => [`#filters [name=${name}]`, name])) };
  for (const [selector, name] of Object.entries(fields)) {
    // What is being typed is left alone: half a date has no value yet.
    if (find(selector) !== document.activeElement) find(selector).value = view[name];
  }
}

const KEYS = [
  ["/", "search"], ["← → ↑ ↓", "walk through the images; before and after in the large view"], ["Enter", "show large"], ["Space", "select"],
  ["Shift + click", "select a row of images"], ["c", "copy the prompt"], ["z", "zoom in the large view and in the comparison"], ["Home, End", "first, last"],
  ["Esc", "close; then clear the search, then the selection"], ["?", "these keys"],
];

function showKeys() {
  const dialog = find("#keys");
  dialog.replaceChildren(
    make("h2", { id: "keys-title" }, "Keys"),
    make("dl", {}, ...KEYS.flatMap(([key, does]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, does)])),
    make("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close"),
  );
  dialog.showModal();
}

function globalKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  const typing = event.target.matches("input:not([type=range]), select, textarea");
  if (event.key === "Escape") escape(event.target);
  else if (typing) return;
  else if (event.key === "/") find("#search").focus();
  else if (event.key === "?") showKeys();
  else if (event.target === document.body && event.key.startsWith("Arrow") && view.tab === "pictures") grid.focus(grid.active);
  else return;
  event.preventDefault();
}

function escape(target) {
  if (!find("#filters").hidden) toggleFilters();
  else if (view.words) {
    find("#search").value = "";
    set({ words: "" });
  } else if (target.id === "search") target.blur();
  else selection.clear();
}

function toggleFilters() {
  const form = find("#filters");
  form.hidden = !form.hidden;
  find("#filter").setAttribute("aria-expanded", String(!form.hidden));
  if (!form.hidden) form.querySelector("select").focus();
}

function nextTheme() {
  const themes = ["", "light", "dark"];
  const next = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "") + 1) % themes.length];
  applyTheme(next);
  try {
    localStorage.setItem("toapis-theme", next);
  } catch {
    // Not kept where the page may store nothing.
  }
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  find("#theme").setAttribute("aria-label", `Colours: ${theme || "as the system"}`);
}

function listen() {
  addEventListener("keydown", globalKeys);
  find("#search").addEventListener("input", ({ target }) => set({ words: target.value }));
  find("#search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    if (view.tab === "pictures") grid.focus(0);
  });
  find("#sort").addEventListener("change", ({ target }) => set({ sort: target.value }));
  find("#height").addEventListener("input", ({ target }) => {
    view.height = target.value;
    remember();
    refresh({ keep: true });
  });
  find("#filter").addEventListener("click", toggleFilters);
  find("#filters").addEventListener("input", ({ target }) => set({ [target.name]: target.value }));
  find("#filters").addEventListener("submit", (event) => event.preventDefault());
  find("#filters").addEventListener("reset", (event) => {
    event.preventDefault();
    set(Object.fromEntries(FILTERS.map((name) => [name, ""])));
  });
  find("#theme").addEventListener("click", nextTheme);
  find("#help").addEventListener("click", showKeys);
  for (const tab of TABS) find(`#tab-${tab}`).addEventListener("click", () => set({ tab }));
  find(".tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tab = TABS[(TABS.indexOf(view.tab) + step + TABS.length) % TABS.length];
    set({ tab });
    find(`#tab-${tab}`).focus();
    event.preventDefault();
    event.stopPropagation();
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
  let width = innerWidth;
  addEventListener("resize", () => {
    if (view.tab === "charts" && innerWidth !== width) refresh();
    width = innerWidth;
  });
}

function renewed(data) {
  results = new Results(data);
  drawTotals(data);
  drawFilters();
  refresh({ keep: scrollY > 40 });
  selection.changed();
}

function told({ live, at }) {
  const place = find("#live");
  place.hidden = false;
  place.className = live ? "live" : "";
  place.textContent = live ? "following" : `as of ${clockTime(at)}`;
}

try {
  applyTheme(localStorage.getItem("toapis-theme") ?? "");
} catch {
  applyTheme("");
}
listen();
drawTotals(first);
drawFilters();
refresh();
selection.changed();
follow(first, { renewed, told });
