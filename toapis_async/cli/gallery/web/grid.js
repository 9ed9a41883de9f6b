// The grid of pictures. Only the rows near the window exist, so 5,000 pictures cost as much as fifty.

class Grid {
  constructor(place, { selection, open }) {
    this.place = place;
    this.selection = selection;
    this.open = open;
    this.shots = [];
    this.rows = [];
    this.drawn = new Map();
    this.active = 0;
    this.wanted = false;
    this.element = make("div", { class: "grid", role: "grid", "aria-label": "Images", "aria-multiselectable": "true" });
    this.empty = make("p", { class: "empty", hidden: true });
    place.append(this.element, this.empty);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("focusin", (event) => this.focused(event.target));
    addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(place);
  }

  // Show these pictures; what stands at the top of the window stays there where `keep` is asked for.
  show(shots, height, { keep = false } = {}) {
    const anchor = keep ? this.anchor() : null;
    const activeKey = this.shots[this.active]?.key;
    const hadFocus = this.element.contains(document.activeElement);
    this.shots = shots;
    this.wantedHeight = height;
    this.active = Math.max(0, keep ? shots.findIndex((shot) => shot.key === activeKey) : 0);
    this.arrange();
    if (anchor) this.restore(anchor);
    if (hadFocus) this.focus(this.active, { scroll: false });
  }

  arrange() {
    this.width = this.element.clientWidth;
    const { rows, height } = inRows(this.shots, this.width, this.wantedHeight);
    this.rows = rows;
    this.element.style.height = `${height}px`;
    this.element.classList.toggle("bare", !hasCaptions(this.wantedHeight));
    this.element.setAttribute("aria-rowcount", rows.length);
    for (const element of this.drawn.values()) element.remove();
    this.drawn.clear();
    this.draw();
  }

  resized() {
    if (!this.place.hidden && this.element.clientWidth !== this.width) {
      const anchor = this.anchor();
      this.arrange();
      if (anchor) this.restore(anchor);
    }
  }

  get top() {
    return this.element.getBoundingClientRect().top + scrollY;
  }

  anchor() {
    const y = scrollY - this.top;
    if (y <= 0 || !this.rows.length) return null;
    const row = this.rows[rowAt(this.rows, y)];
    return { key: this.shots[row.from].key, above: y - row.top };
  }

  restore({ key, above }) {
    const index = this.shots.findIndex((shot) => shot.key === key);
    if (index >= 0) scrollTo(0, this.top + this.rowOf(index).top + above);
    this.draw();
  }

  rowOf(index) {
    return this.rows.find((row) => index < row.to);
  }

  later() {
    if (this.wanted) return;
    this.wanted = true;
    requestAnimationFrame(() => {
      this.wanted = false;
      this.draw();
    });
  }

  draw() {
    if (this.place.hidden || !this.rows.length) return;
    const y = scrollY - this.top;
    const first = rowAt(this.rows, y - innerHeight * 0.6);
    const last = rowAt(this.rows, y + innerHeight * 1.6);
    const held = this.rows.indexOf(this.rowOf(this.active));
    for (const [number, element] of this.drawn) {
      if ((number < first || number > last) && number !== held) {
        element.remove();
        this.drawn.delete(number);
      }
    }
    for (let number = first; number <= last; number += 1) this.drawRow(number);
    this.drawRow(held);
  }

  drawRow(number) {
    if (this.drawn.has(number) || number < 0) return;
    const row = this.rows[number];
    const element = make("div", { class: "row", role: "row", "aria-rowindex": number + 1 });
    element.style.transform = `translateY(${row.top}px)`;
    row.widths.forEach((width, place) => element.append(this.tile(row.from + place, width, row.height)));
    this.drawn.set(number, element);
    this.element.append(element);
  }

  tile(index, width, height) {
    const shot = this.shots[index];
    const chosen = this.selection.has(shot.key);
    const tile = make(
      "div",
      { class: "tile", role: "gridcell", tabindex: index === this.active ? 0 : -1, "aria-selected": String(chosen), "data-index": index },
      frameOf(shot, width, height),
      make("button", { type: "button", class: "pick", tabindex: -1, "aria-label": "Select", "aria-pressed": String(chosen) }),
      make("div", { class: "caption" }, words(shot.item.prompt || "(no prompt)", { class: "prompt" }), make("span", { class: "facts" }, ...shortFacts(shot, width))),
    );
    tile.style.width = `${width}px`;
    return tile;
  }

  click(event) {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    const index = Number(tile.dataset.index);
    this.column = undefined;
    if (event.target.closest(".pick") || event.ctrlKey || event.metaKey || event.shiftKey) {
      if (event.shiftKey) this.selection.range(this.shots, this.active, index);
      else this.selection.toggle(this.shots[index].key);
      this.focus(index, { scroll: false });
    } else {
      this.active = index;
      this.open(this.shots, index);
    }
  }

  focused(target) {
    const tile = target.closest(".tile");
    if (!tile) return;
    for (const other of this.element.querySelectorAll('.tile[tabindex="0"]')) other.tabIndex = -1;
    tile.tabIndex = 0;
    this.active = Number(tile.dataset.index);
  }

  focus(index, { scroll = true } = {}) {
    if (!this.shots.length) return;
    this.active = Math.min(Math.max(0, index), this.shots.length - 1);
    const row = this.rowOf(this.active);
    if (scroll) this.bringIntoView(row);
    this.draw();
    this.element.querySelector(`[data-index="${this.active}"]`)?.focus({ preventScroll: true });
  }

  bringIntoView(row) {
    const hidden = find(".bar").getBoundingClientRect().bottom + 8;
    const bottom = row.top + row.height + CAPTION + GAP;
    const y = scrollY - this.top;
    if (row.top < y + Math.max(0, hidden)) scrollTo(0, this.top + row.top - Math.max(0, hidden));
    else if (bottom > y + innerHeight) scrollTo(0, this.top + bottom - innerHeight);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    const rows = { ArrowDown: 1, ArrowUp: -1, PageDown: 3, PageUp: -3 };
    if (!(event.key in rows)) this.column = undefined;
    if (event.key in steps) this.focus(this.active + steps[event.key]);
    else if (event.key in rows) this.focus(this.across(rows[event.key]));
    else if (event.key === "Enter") this.open(this.shots, this.active);
    else if (event.key === " ") this.selection.toggle(this.shots[this.active].key);
    else if (event.key === "c") copy(this.shots[this.active].item.prompt, "Prompt");
    else return;
    event.preventDefault();
  }

  // The picture that stands so many rows below the active one, nearest to the middle of the one the walk began at.
  across(step) {
    const number = this.rows.indexOf(this.rowOf(this.active));
    const row = this.rows[Math.min(Math.max(0, number + step), this.rows.length - 1)];
    const middles = ({ widths }) => widths.map((width, place) => widths.slice(0, place).reduce((sum, part) => sum + part + GAP, width / 2));
    const from = this.rows[number];
    this.column ??= middles(from)[this.active - from.from];
    const distances = middles(row).map((middle) => Math.abs(middle - this.column));
    return row.from + distances.indexOf(Math.min(...distances));
  }

  // Draw the marks of selected tiles anew.
  mark() {
    for (const tile of this.element.querySelectorAll(".tile")) {
      const chosen = String(this.selection.has(this.shots[tile.dataset.index]?.key));
      tile.setAttribute("aria-selected", chosen);
      tile.querySelector(".pick").setAttribute("aria-pressed", chosen);
    }
  }
}

function frameOf(shot, width, height) {
  const frame = make("div", { class: "frame" });
  frame.style.height = `${height}px`;
  const { file, item } = shot;
  if (file.missing) {
    frame.append(make("span", { class: "gone" }, "file is gone"));
    return frame;
  }
  // A thumbnail has 512 pixels on its long side; far larger than that, the picture itself is shown.
  const isSmall = file.thumbnail && Math.max(width, height) * Math.min(devicePixelRatio, 2) < 900;
  const picture = file.video
    ? make("video", { src: file.path, preload: "metadata", muted: true, playsinline: true, tabindex: -1, "aria-label": describe(shot) })
    : make("img", { src: isSmall ? file.thumbnail : file.path, alt: describe(shot), decoding: "async", draggable: "false" });
  picture.addEventListener("error", () => picture.replaceWith(make("span", { class: "gone" }, "cannot be shown")));
  frame.append(picture);
  if (file.video) frame.append(make("span", { class: "mark", "aria-hidden": "true" }, "▶"));
  if (item.files.length > 1) frame.append(make("span", { class: "mark" }, `${shot.place + 1}/${item.files.length}`));
  return frame;
}

const describe = ({ item }) => (item.prompt.length > 160 ? `${item.prompt.slice(0, 160)}…` : item.prompt) || item.id;

// What there is room for: a narrow picture says its cost and time, a wide one its model and size too.
function shortFacts({ item, size }, width) {
  const facts = [width >= 190 && item.model && words(item.model), (width >= 270 || (width >= 130 && width < 190)) && size, item.cost === undefined ? null : usd(item.cost), item.seconds === undefined ? null : duration(item.seconds)];
  return facts.filter(Boolean).map((fact) => make("span", {}, fact));
}
