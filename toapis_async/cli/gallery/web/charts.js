// Charts of what the search shows: images per minute, cost over time, looks per item, seconds by model.

const SVG = "http://www.w3.org/2000/svg";
const CHART_HEIGHT = 210;
const MARGIN = { left: 52, right: 16, top: 14, bottom: 28 };

function draw(tag, properties, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function drawCharts(place, shots) {
  const list = items(shots);
  const columns = Math.max(1, Math.floor((place.clientWidth + 18) / 538));
  const inColumn = (place.clientWidth - (Math.min(columns, 4) - 1) * 18) / Math.min(columns, 4);
  const width = Math.max(240, Math.floor(inColumn - 38));
  const charts = [throughput(list, width), costs(list, width), looks(list, width), latencies(list, width)].filter(Boolean);
  place.replaceChildren(...charts);
  if (!charts.length) place.append(make("p", { class: "empty" }, "The results shown carry no times and no costs to draw."));
}

function card(title, summary, svg) {
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${title}: ${summary}`);
  return make("figure", { class: "chart" }, make("figcaption", {}, make("b", {}, title), make("span", {}, summary)), svg);
}

// Steps of 1, 2 or 5 times a power of ten: about four up to the largest value.
function ticks(largest) {
  const rough = largest / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough);
  return Array.from({ length: Math.ceil(largest / step) + 1 }, (_, number) => number * step);
}

const short = (value) => String(Number(value.toPrecision(6)));

// A frame with a scale on the left; returns the picture and what turns values into places.
function frame(width, largest, write = short) {
  const marks = ticks(largest);
  const top = marks.at(-1) || 1;
  const inner = { width: width - MARGIN.left - MARGIN.right, height: CHART_HEIGHT - MARGIN.top - MARGIN.bottom };
  const svg = draw("svg", { viewBox: `0 0 ${width} ${CHART_HEIGHT}`, width, height: CHART_HEIGHT });
  const x = (part) => MARGIN.left + part * inner.width;
  const y = (value) => MARGIN.top + (1 - value / top) * inner.height;
  for (const mark of marks) {
    svg.append(
      draw("line", { x1: x(0), x2: x(1), y1: y(mark), y2: y(mark), class: "rule" }),
      draw("text", { x: x(0) - 8, y: y(mark) + 4, class: "tick end" }, write(mark)),
    );
  }
  return { svg, x, y };
}

function timeScale({ svg, x }, from, to) {
  const write = to - from > 20 * 3600 ? (at) => dates.format(at * 1000).split(",")[0] : to - from < 300 ? (at) => `${Math.round(at - from)} s` : clockTime;
  for (const part of [0, 0.5, 1]) {
    const anchor = { 0: "start", 1: "end" }[part] ?? "middle";
    svg.append(draw("text", { x: x(part), y: CHART_HEIGHT - 8, class: `tick ${anchor}` }, write(from + part * (to - from))));
  }
}

const ofSaved = (list) => list.filter((item) => item.files.length && item.ended !== undefined).sort((a, b) => a.ended - b.ended);

function throughput(list, width) {
  const saved = ofSaved(list);
  if (saved.length < 2) return null;
  const from = Math.min(...saved.map((item) => item.submitted ?? item.ended).slice(0, 1000), saved[0].ended);
  const to = Math.max(saved.at(-1).ended, from + 1);
  const bins = new Array(Math.max(8, Math.min(60, Math.floor(width / 12), Math.floor(saved.length / 4)))).fill(0);
  for (const item of saved) bins[Math.min(bins.length - 1, Math.floor(((item.ended - from) / (to - from)) * bins.length))] += item.files.length;
  const perMinute = bins.map((files) => (files * 60 * bins.length) / (to - from));
  const scale = frame(width, Math.max(...perMinute));
  perMinute.forEach((rate, bin) => {
    const [left, right] = [scale.x(bin / bins.length), scale.x((bin + 1) / bins.length)];
    const bar = draw("rect", { x: left + 1, width: Math.max(1, right - left - 2), y: scale.y(rate), height: Math.max(0, scale.y(0) - scale.y(rate)), rx: 1.5, class: "bar" });
    bar.append(draw("title", {}, `${short(Math.round(rate * 10) / 10)} images per minute`));
    scale.svg.append(bar);
  });
  timeScale(scale, from, to);
  const files = saved.reduce((sum, item) => sum + item.files.length, 0);
  return card("Images per minute", `${noun(files, "image")} in ${duration(to - from)}, ${short(Math.round((files * 600) / (to - from)) / 10)} per minute`, scale.svg);
}

function costs(list, width) {
  const priced = list.filter((item) => item.cost !== undefined && item.ended !== undefined).sort((a, b) => a.ended - b.ended);
  if (priced.length < 2) return null;
  const [from, to] = [priced[0].ended, Math.max(priced.at(-1).ended, priced[0].ended + 1)];
  let sum = 0;
  const sums = priced.map((item) => [(item.ended - from) / (to - from), (sum += item.cost)]);
  const scale = frame(width, sum, (value) => usd(value));
  // More points than pixels say nothing more.
  const every = Math.ceil(sums.length / width);
  const points = sums.filter((_, index) => index % every === 0 || index === sums.length - 1).map(([part, cost]) => `${scale.x(part).toFixed(1)},${scale.y(cost).toFixed(1)}`);
  scale.svg.append(
    draw("path", { d: `M${scale.x(0)},${scale.y(0)}L${points.join("L")}L${scale.x(1)},${scale.y(0)}Z`, class: "under" }),
    draw("path", { d: `M${scale.x(0)},${scale.y(0)}L${points.join("L")}`, class: "line" }),
  );
  timeScale(scale, from, to);
  return card("Cost over time", `${usd(sum)} for ${noun(priced.length, "item")}, ${usd(sum / priced.length)} each`, scale.svg);
}

const quantile = (values, part) => values[Math.min(values.length - 1, Math.floor(part * values.length))];

function latencies(list, width) {
  const byModel = new Map();
  for (const item of list) {
    if (item.seconds === undefined || !item.files.length) continue;
    if (!byModel.has(item.model)) byModel.set(item.model, []);
    byModel.get(item.model).push(item.seconds);
  }
  const models = [...byModel].map(([model, times]) => [model ?? "", times.sort((a, b) => a - b)]).sort((a, b) => b[1].length - a[1].length).slice(0, 8);
  if (!models.length) return null;
  const largest = Math.max(...models.map(([, times]) => quantile(times, 0.95)), 1e-3);
  const height = models.length * 44 + 26;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  const x = (seconds) => 10 + (Math.min(seconds, largest) / largest) * (width - 20);
  models.forEach(([model, times], number) => {
    const y = number * 44 + 31;
    const [low, middle, high] = [0.05, 0.5, 0.95].map((part) => quantile(times, part));
    svg.append(
      draw("text", { x: 10, y: y - 13, class: "tick start name", direction: "ltr" }, model.length > 44 ? `${model.slice(0, 43)}…` : model),
      draw("text", { x: width - 10, y: y - 13, class: "tick end" }, `${duration(middle)} · ${count(times.length)}`),
      draw("line", { x1: x(0), x2: width - 10, y1: y, y2: y, class: "rule" }),
      draw("line", { x1: x(low), x2: x(high), y1: y, y2: y, class: "range" }),
      draw("circle", { cx: x(middle), cy: y, r: 5, class: "dot" }, draw("title", {}, `5 % ${duration(low)}, half ${duration(middle)}, 95 % ${duration(high)}`)),
    );
  });
  for (const [part, anchor] of [[0, "start"], [1, "end"]]) svg.append(draw("text", { x: x(part * largest), y: height - 6, class: `tick ${anchor}` }, duration(part * largest)));
  return card("Seconds by model", "from submission to the end; the dot is the median, the bar 5 to 95 %", svg);
}

function looks(list, width) {
  const counts = list.map((item) => item.looks).filter((number) => number !== undefined);
  if (!counts.length) return null;
  const most = Math.min(20, Math.max(...counts));
  const bins = new Array(most + 1).fill(0);
  for (const number of counts) bins[Math.min(most, Math.round(number))] += 1;
  const scale = frame(width, Math.max(...bins));
  bins.forEach((sum, number) => {
    const [left, right] = [scale.x(number / bins.length), scale.x((number + 1) / bins.length)];
    scale.svg.append(
      draw("rect", { x: left + 2, width: Math.max(1, right - left - 4), y: scale.y(sum), height: scale.y(0) - scale.y(sum), rx: 1.5, class: "bar" }),
      draw("text", { x: (left + right) / 2, y: CHART_HEIGHT - 8, class: "tick middle" }, number === 20 ? "20+" : String(number)),
    );
  });
  const mean = counts.reduce((sum, number) => sum + number, 0) / counts.length;
  return card("Looks per item", `${short(Math.round(mean * 10) / 10)} on average until a task was seen finished`, scale.svg);
}
