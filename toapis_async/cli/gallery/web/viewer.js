// One picture large, with its facts; walks through everything that the search shows.

class Viewer {
  constructor(dialog, { selection, reasons, closed }) {
    this.dialog = dialog;
    this.selection = selection;
    this.reasons = reasons;
    this.shots = [];
    this.index = 0;
    this.stage = make("div", { class: "stage" });
    this.aside = make("div", { class: "about" });
    this.counter = make("p", { class: "counter", role: "status" });
    const arrow = (step, label, sign) =>
      make("button", { type: "button", class: `arrow ${step < 0 ? "back" : "on"}`, "aria-label": label, onclick: () => this.go(step) }, sign);
    dialog.append(
      this.stage,
      arrow(-1, "Previous", "‹"),
      arrow(1, "Next", "›"),
      make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "×"),
      this.aside,
    );
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("close", () => {
      this.stage.replaceChildren();
      closed(this.shots[this.index]);
    });
    this.listenToSwipes();
  }

  open(shots, index) {
    this.shots = shots;
    this.index = index;
    this.draw();
    if (!this.dialog.open) this.dialog.showModal();
    this.stage.focus();
  }

  // New data came: stay with the same picture.
  renew(shots) {
    if (!this.dialog.open) return;
    const key = this.shots[this.index].key;
    const index = shots.findIndex((shot) => shot.key === key);
    if (index < 0) return;
    this.shots = shots;
    this.index = index;
    this.count();
  }

  go(step) {
    this.index = (this.index + step + this.shots.length) % this.shots.length;
    this.draw();
    this.stage.focus();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("video")) return;
    const shot = this.shots[this.index];
    const acts = {
      ArrowRight: () => this.go(1),
      ArrowLeft: () => this.go(-1),
      Home: () => this.go(-this.index),
      End: () => this.go(this.shots.length - 1 - this.index),
      " ": () => this.toggle(shot),
      c: () => copy(shot.item.prompt, "Prompt"),
      z: () => this.stage.querySelector("img")?.click(),
    };
    if (!(event.key in acts) || (event.key === " " && event.target.matches("button, a"))) return;
    acts[event.key]();
    event.preventDefault();
  }

  toggle(shot) {
    this.selection.toggle(shot.key);
    this.drawAbout(shot);
  }

  draw() {
    const shot = this.shots[this.index];
    this.stage.className = "stage";
    this.stage.tabIndex = -1;
    this.stage.replaceChildren(this.picture(shot));
    this.stage.scrollTo(0, 0);
    this.drawAbout(shot);
    for (const step of [1, -1]) this.preload(this.shots[(this.index + step + this.shots.length) % this.shots.length]);
  }

  picture({ item, file }) {
    if (!file) return make("div", { class: "plate" }, make("b", {}, item.status), words(item.error ?? "Nothing more is known.", { class: "lines" }));
    if (file.missing) return make("div", { class: "plate" }, make("b", {}, "file is gone"), words(file.name));
    if (file.video) return make("video", { src: file.path, controls: true, autoplay: true, loop: true, muted: true, playsinline: true });
    const image = make("img", { src: file.path, alt: item.prompt || item.id, title: "Click for its own size" });
    image.addEventListener("error", () => image.replaceWith(make("div", { class: "plate" }, make("b", {}, "cannot be shown"))));
    image.addEventListener("click", (event) => this.zoom(image, event));
    return image;
  }

  zoom(image, event) {
    const { left, top, width, height } = image.getBoundingClientRect();
    const [x, y] = event.clientX ? [(event.clientX - left) / width, (event.clientY - top) / height] : [0.5, 0.5];
    this.stage.classList.toggle("large");
    this.stage.scrollTo(x * image.clientWidth - this.stage.clientWidth / 2, y * image.clientHeight - this.stage.clientHeight / 2);
  }

  preload(shot) {
    if (shot.file && !shot.file.video && !shot.file.missing) new Image().src = shot.file.path;
  }

  count() {
    this.counter.textContent = `${count(this.index + 1)} of ${count(this.shots.length)}`;
  }

  drawAbout(shot) {
    this.count();
    const { item, file } = shot;
    const chosen = this.selection.has(shot.key);
    fill(
      this.aside,
      this.counter,
      make("p", { class: "prompt", dir: "auto" }, item.prompt || "(no prompt)"),
      make("div", { class: "acts" },
        copyButton(item.prompt, "Prompt", "Copy prompt"),
        copyButton(item.id, "Id", "Copy id"),
        make("button", { type: "button", class: "quiet", "aria-pressed": String(chosen), onclick: () => this.toggle(shot) }, chosen ? "Selected" : "Select"),
        file && !file.missing ? make("a", { class: "quiet", href: file.path, target: "_blank", rel: "noopener" }, "Open file") : null),
      file && item.error ? words(item.error, { class: "error lines" }) : null,
      factsOf(shot, this.reasons()),
    );
  }

  listenToSwipes() {
    let from = null;
    this.stage.addEventListener("touchstart", ({ touches }) => {
      from = touches.length === 1 ? touches[0] : null;
    }, { passive: true });
    this.stage.addEventListener("touchend", ({ changedTouches: [to] }) => {
      const moved = from && !this.stage.classList.contains("large") ? to.clientX - from.clientX : 0;
      if (Math.abs(moved) > 50 && Math.abs(moved) > 2 * Math.abs(to.clientY - from.clientY)) this.go(moved < 0 ? 1 : -1);
    });
  }
}

function allFacts({ item, file, size }, reasons) {
  const wait = item.accepted >= item.submitted ? item.accepted - item.submitted : undefined;
  return [
    ["Id", words(item.id)],
    ["Model", item.model && words(item.model)],
    ["Size", file?.width ? size : undefined],
    ["Asked for", item.size && words(item.size)],
    ["File", file && words(file.name)],
    ["Bytes", file && fileSize(file.bytes ?? 0)],
    ["Cost", item.cost === undefined ? "not said" : usd(item.cost)],
    ["Seed", item.seed && words(item.seed)],
    ["Elapsed", item.seconds === undefined ? undefined : duration(item.seconds)],
    ["Until accepted", wait === undefined ? undefined : duration(wait)],
    ["Looks", item.looks === undefined ? undefined : count(item.looks)],
    ["Ended", item.ended === undefined ? undefined : date(item.ended)],
    ["Status", item.status],
    ["Reason", reasons.get(item.reason)?.title],
    ["Task", item.task && words(item.task)],
  ].filter(([, value]) => value !== undefined && value !== "" && value !== null);
}

function factsOf(shot, reasons) {
  return make("dl", {}, ...allFacts(shot, reasons).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}
