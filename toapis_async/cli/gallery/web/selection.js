// What is selected, and the list that is made of it.

class Selection {
  constructor(changed) {
    this.keys = new Set();
    this.changed = changed;
  }

  has(key) {
    return this.keys.has(key);
  }

  toggle(key) {
    if (!this.keys.delete(key)) this.keys.add(key);
    this.changed();
  }

  range(shots, from, to) {
    for (let index = Math.min(from, to); index <= Math.max(from, to); index += 1) this.keys.add(shots[index].key);
    this.changed();
  }

  add(shots) {
    for (const shot of shots) this.keys.add(shot.key);
    this.changed();
  }

  clear() {
    this.keys.clear();
    this.changed();
  }
}

const LISTS = {
  jsonl: ["JSON Lines", "application/jsonl", (shots) => items(shots).map((item) => `${JSON.stringify(requestOf(item))}\n`).join("")],
  csv: ["CSV", "text/csv", (shots) => [COLUMNS, ...shots.map(rowOf)].map((row) => `${row.map(cell).join(",")}\r\n`).join("")],
  txt: ["Ids", "text/plain", (shots) => items(shots).map((item) => `${item.id.replaceAll(/[\r\n]+/gu, " ")}\n`).join("")],
};
const COLUMNS = ["id", "status", "file", "prompt", "model", "size", "seed", "cost_usd", "seconds", "ended_at", "task_id", "error"];

const items = (shots) => [...new Set(shots.map((shot) => shot.item))];

// A line that `toapis batch` reads; what the manifest does not hold, such as references, is not in it.
function requestOf({ id, prompt, model, size, seed }) {
  const [ratio, resolution] = (size ?? "").split(" ");
  const number = seed === undefined ? undefined : Number(seed);
  return { id, prompt, model, size: ratio || undefined, resolution, seed: Number.isSafeInteger(number) ? number : undefined };
}

function rowOf({ item, file, size }) {
  const ended = item.ended === undefined ? "" : new Date(item.ended * 1000).toISOString();
  return [item.id, item.status, file?.name, item.prompt, item.model, size, item.seed, item.cost, item.seconds, ended, item.task, item.error];
}

// A spreadsheet takes a cell that begins like this for a formula.
function cell(value) {
  const text = String(value ?? "");
  const safe = typeof value === "string" && /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function drawSelection(place, shots, { selection, shown, compare }) {
  place.hidden = !shots.length;
  if (place.hidden) return;
  const save = (ending) => {
    const [, type, text] = LISTS[ending];
    download(`selection.${ending}`, type, text(shots));
    say(`${noun(shots.length, "result")} saved as selection.${ending}`);
  };
  const prompts = () => items(shots).map((item) => item.prompt).join("\n");
  const cost = items(shots).reduce((sum, item) => sum + (item.cost ?? 0), 0);
  fill(
    place,
    make("b", { class: "tally" }, `${count(shots.length)} selected`, cost ? make("span", {}, ` · ${usd(cost)}`) : null),
    make("button", { type: "button", onclick: () => selection.add(shown()) }, "Select all shown"),
    make("button", { type: "button", disabled: shots.length !== 2 || shots.some((shot) => !shot.file), title: "With exactly two images", onclick: () => compare(...shots) }, "Compare"),
    make("button", { type: "button", onclick: () => copy(prompts(), "Prompts") }, "Copy prompts"),
    make("span", { class: "exports", role: "group", "aria-label": "Export list" }, "Export",
      ...Object.entries(LISTS).map(([ending, [label]]) => make("button", { type: "button", "data-export": ending, onclick: () => save(ending) }, label))),
    make("button", { type: "button", class: "round", "aria-label": "Clear selection", onclick: () => selection.clear() }, "×"),
  );
}
