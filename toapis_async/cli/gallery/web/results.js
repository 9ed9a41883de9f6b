// The results of a run. A *shot* is one file of an item, or the whole of an item that has none.

const STATUSES = ["saved", "failed", "unknown", "unfinished", "not_sent"];
const collator = new Intl.Collator(undefined, { numeric: true });
const plain = (text) => text.normalize("NFC").toLowerCase();

class Results {
  constructor(data) {
    this.reasons = new Map(data.reasons.map((reason) => [reason.slug, reason]));
    this.groups = data.reasons;
    this.items = data.items;
    this.pictures = [];
    this.trouble = [];
    for (const item of data.items) {
      item.files ??= [];
      item.seconds = item.ended >= item.submitted ? item.ended - item.submitted : undefined;
      item.files.forEach((file, place) => this.pictures.push(this.shot(item, file, place)));
      if (!item.files.length) this.trouble.push(this.shot(item, null, 0));
    }
    this.byKey = new Map([...this.pictures, ...this.trouble].map((shot) => [shot.key, shot]));
  }

  shot(item, file, place) {
    const key = JSON.stringify([item.id, file ? file.name : ""]);
    const size = file?.width ? `${file.width} × ${file.height}` : item.size ?? "";
    return { key, item, file, place, size, text: undefined };
  }

  // The values that the filters offer, with how many shots have each, the most frequent first.
  values(of) {
    const counts = new Map();
    for (const shot of this.byKey.values()) {
      const value = of(shot);
      if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || collator.compare(a[0], b[0]));
  }

  textOf(shot) {
    const { item, file } = shot;
    const reason = this.reasons.get(item.reason);
    shot.text ??= plain(
      [item.prompt, item.id, item.model, item.status, item.error, item.task, item.seed, shot.size, item.size, file?.name, reason?.title]
        .filter(Boolean)
        .join("\n"),
    );
    return shot.text;
  }

  // What fits a search and filters, sorted.
  select(shots, view) {
    // Every word has to be there; what stands in quotation marks is one word.
    const wanted = [...plain(view.words).matchAll(/"([^"]+)"|[^\s"]+/gu)].map(([word, phrase]) => phrase ?? word);
    const fits = (shot) => passes(shot, view) && wanted.every((word) => this.textOf(shot).includes(word));
    return sorted(shots.filter(fits), view.sort);
  }
}

function passes({ item, size }, view) {
  const between = (value, from, to) =>
    (from === undefined && to === undefined) || (value !== undefined && value >= (from ?? -Infinity) && value <= (to ?? Infinity));
  return (
    (!view.status || item.status === view.status) &&
    (!view.model || item.model === view.model) &&
    (!view.size || size === view.size) &&
    (!view.reason || item.reason === view.reason) &&
    between(item.cost, amountOf(view.costFrom), amountOf(view.costTo)) &&
    between(item.ended, secondsOf(view.from), secondsOf(view.to))
  );
}

const amountOf = (text) => (text === "" || Number.isNaN(Number(text)) ? undefined : Number(text));
const secondsOf = (text) => {
  const at = Date.parse(text) / 1000;
  return Number.isNaN(at) ? undefined : at;
};

const ORDERS = {
  newest: [(item) => item.ended, -1],
  oldest: [(item) => item.ended, 1],
  dearest: [(item) => item.cost, -1],
  cheapest: [(item) => item.cost, 1],
  slowest: [(item) => item.seconds, -1],
  quickest: [(item) => item.seconds, 1],
  id: [(item) => item.id, 1],
  prompt: [(item) => item.prompt, 1],
  model: [(item) => item.model, 1],
};

function sorted(shots, by) {
  const [of, sign] = ORDERS[by] ?? ORDERS.newest;
  const compare = (a, b) => (typeof a === "string" ? collator.compare(a, b) : a - b);
  return shots
    .map((shot, index) => [of(shot.item), index, shot])
    .sort(([a, i], [b, j]) => {
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined) || i - j;
      return sign * compare(a, b) || i - j;
    })
    .map(([, , shot]) => shot);
}
