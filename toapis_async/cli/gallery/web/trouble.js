// What was not made: folded groups by reason, each with the command that goes on with just those.

const FIRST_FEW = 40;

class Trouble {
  constructor(place, { selection, open, only }) {
    this.place = place;
    this.selection = selection;
    this.open = open;
    this.only = only;
    this.unfolded = new Set();
    this.shown = new Map();
  }

  // Show these, and return them in the order in which they are shown.
  show(shots, groups) {
    const byGroup = grouped(shots);
    const known = groups.map((group) => ({ ...group, shots: byGroup.get(`${group.slug} ${group.status}`) ?? [] }));
    const some = known.filter((group) => group.shots.length).sort((a, b) => b.shots.length - a.shots.length);
    this.shots = some.flatMap((group) => group.shots);
    fill(this.place, ...some.map((group) => this.group(group)));
    if (!shots.length) this.place.append(make("p", { class: "empty" }, "Nothing here: no item that fits was left without an image."));
    return this.shots;
  }

  group(group) {
    const name = `${group.slug} ${group.status}`;
    const list = make("ul", {});
    const details = make("details", { open: this.unfolded.has(name), "data-reason": group.slug },
      make("summary", {},
        make("b", { class: "number" }, count(group.shots.length)),
        make("span", { class: "title" }, make("span", {}, `${group.title} `), make("i", { class: `state ${group.status}` }, group.status), group.detail ? words(group.detail, { class: "detail" }) : null)),
      this.command(group),
      list);
    const unfold = () => details.open && !list.children.length && this.fill(list, group, name);
    details.addEventListener("toggle", () => {
      this.unfolded[details.open ? "add" : "delete"](name);
      unfold();
    });
    unfold();
    return details;
  }

  command(group) {
    const warning = { unknown: " This may charge twice.", unfinished: " Nothing is charged again.", not_sent: " Nothing was charged." }[group.status] ?? "";
    return make("div", { class: "again" },
      make("span", {}, `To go on with ${group.status === "failed" ? "just these" : "these"}:${warning}`),
      make("code", { dir: "ltr" }, group.command),
      copyButton(group.command, "Command"),
      make("button", { type: "button", class: "quiet", onclick: () => this.selection.add(group.shots) }, `Select ${count(group.shots.length)}`),
      make("button", { type: "button", class: "quiet", onclick: () => this.only(group.slug) }, "Show only these"));
  }

  fill(list, group, name) {
    const shown = this.shown.get(name) ?? FIRST_FEW;
    list.replaceChildren(...group.shots.slice(0, shown).map((shot) => this.line(shot)));
    if (shown >= group.shots.length) return;
    list.append(make("li", {}, make("button", { type: "button", class: "quiet", onclick: () => {
      this.shown.set(name, shown + 400);
      this.fill(list, group, name);
    } }, `Show more of ${count(group.shots.length)}`)));
  }

  line(shot) {
    const { item } = shot;
    const chosen = String(this.selection.has(shot.key));
    return make("li", { class: "line", "data-key": shot.key },
      make("button", { type: "button", class: "pick", "aria-label": "Select", "aria-pressed": chosen, onclick: () => this.selection.toggle(shot.key) }),
      make("button", { type: "button", class: "what", onclick: () => this.open(this.shots, this.shots.indexOf(shot)) },
        words(item.prompt || "(no prompt)", { class: "prompt" }),
        make("span", { class: "facts" }, words(item.id), item.model ? words(item.model) : null, item.ended === undefined ? null : make("span", {}, date(item.ended))),
        item.error ? words(item.error, { class: "said" }) : null),
      copyButton(item.prompt, "Prompt", "Copy prompt"));
  }

  mark() {
    for (const line of this.place.querySelectorAll(".line")) {
      line.querySelector(".pick").setAttribute("aria-pressed", String(this.selection.has(line.dataset.key)));
    }
  }
}

function grouped(shots) {
  const groups = new Map();
  for (const shot of shots) {
    const name = `${shot.item.reason} ${shot.item.status}`;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(shot);
  }
  return groups;
}
