// Making elements and words. Text of a run only ever becomes text: nothing here reads markup.

const find = (selector) => document.querySelector(selector);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Put these in the place of what an element holds; what is not there (null) is left out.
const fill = (element, ...children) => element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));

// Text of unknown direction, kept from turning round what stands beside it.
const words = (text, properties = {}) => make("bdi", { dir: "auto", ...properties }, text);

const numbers = new Intl.NumberFormat("en-US");
const prices = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const count = (number) => numbers.format(number);
const sums = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const usd = (amount) => `$${(amount < 10 ? prices : sums).format(amount)}`;
const noun = (number, one) => `${count(number)} ${one}${number === 1 ? "" : "s"}`;

function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return seconds < 600 ? `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s` : `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function fileSize(bytes) {
  return bytes >= 1e5 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`;
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clockTimes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = (seconds) => dates.format(seconds * 1000);
const clockTime = (seconds) => clockTimes.format(seconds * 1000);

let quiet;
function say(text) {
  const said = find("#said");
  said.textContent = text;
  said.classList.add("shown");
  clearTimeout(quiet);
  quiet = setTimeout(() => said.classList.remove("shown"), 2200);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  say(`${what} copied`);
}

// Where a page of the file system may not use the clipboard directly.
function copyBySelection(text) {
  const area = make("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

const copyButton = (text, what, label = "Copy") =>
  make("button", { type: "button", class: "quiet", onclick: () => copy(text, what) }, label);
