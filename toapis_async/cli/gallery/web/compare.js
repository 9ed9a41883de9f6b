// Two pictures side by side; what differs in their facts stands out, and both zoom to the same place.

class Comparison {
  constructor(dialog, { reasons }) {
    this.dialog = dialog;
    this.reasons = reasons;
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "z") return;
      this.zoom();
      event.preventDefault();
    });
  }

  open(left, right) {
    this.both = make("div", { class: "both" }, this.side(left, right), this.side(right, left));
    this.both.addEventListener("pointermove", (event) => this.point(event));
    this.dialog.replaceChildren(
      make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => this.dialog.close() }, "×"),
      this.both,
      this.differences(left, right),
    );
    this.dialog.showModal();
  }

  side({ item, file }) {
    const picture = file.video
      ? make("video", { src: file.path, controls: true, loop: true, muted: true, playsinline: true })
      : make("img", { src: file.path, alt: item.prompt || item.id, title: "Click to zoom both" });
    if (!file.video) picture.addEventListener("click", () => this.zoom());
    return make("figure", {}, make("div", { class: "pane" }, picture), make("figcaption", {}, words(item.prompt || "(no prompt)", { class: "lines" })));
  }

  zoom() {
    this.both.classList.toggle("large");
  }

  point(event) {
    const pane = event.target.closest(".pane");
    if (!pane) return;
    const { left, top, width, height } = pane.getBoundingClientRect();
    const origin = `${((event.clientX - left) / width) * 100}% ${((event.clientY - top) / height) * 100}%`;
    for (const picture of this.both.querySelectorAll("img")) picture.style.transformOrigin = origin;
  }

  differences(left, right) {
    const [one, other] = [left, right].map((shot) => new Map(allFacts(shot, this.reasons())));
    const text = (value) => (typeof value === "object" ? value.textContent : String(value ?? "–"));
    const rows = [...new Set([...one.keys(), ...other.keys()])].map((name) => {
      const differs = text(one.get(name)) !== text(other.get(name));
      return make("tr", { class: differs ? "differs" : "" }, make("td", {}, one.get(name) ?? "–"), make("th", { scope: "row" }, name), make("td", {}, other.get(name) ?? "–"));
    });
    return make("table", {}, make("caption", { class: "unseen" }, "Facts of both"), make("tbody", {}, ...rows));
  }
}
