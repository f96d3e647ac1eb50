// ---- plots over time: one view, one crosshair

function range(series, from, to) {
  const width = whole / series.count;
  const first = Math.max(0, Math.floor((from - data.begin) / width));
  const last = Math.min(series.count - 1, Math.ceil((to - data.begin) / width) - 1);
  let low = Infinity, high = -Infinity;
  for (let i = first; i <= last; i++) { low = Math.min(low, series.low[i]); high = Math.max(high, series.high[i]); }
  return { first, last, low, high };
}

function path(series, part, x, y, steps) {
  // as many points as pixels: low and high of what falls into one
  const width = whole / series.count, each = Math.max(1, Math.floor((part.last - part.first) / (x(view.to) - x(view.from))));
  let d = "", before = series.low[part.first];
  for (let i = part.first; i <= part.last; i += each) {
    let low = Infinity, high = -Infinity;
    const end = Math.min(i + each, part.last + 1);
    for (let j = i; j < end; j++) { low = Math.min(low, series.low[j]); high = Math.max(high, series.high[j]); }
    const at = data.begin + (i + (end - i) / 2) * width, px = x(at).toFixed(1);
    const [one, two] = Math.abs(before - low) <= Math.abs(before - high) ? [low, high] : [high, low];
    if (steps && d) d += `H${px}`;
    d += `${d ? "L" : "M"}${px} ${y(one).toFixed(1)}`;
    if (two !== one) d += `V${y(two).toFixed(1)}`;
    const last = series.last[end - 1];
    if (last !== two) d += `V${y(last).toFixed(1)}`;
    before = last;
  }
  return d;
}

function valueAt(series, ms) {
  return series.last[Math.min(series.count - 1, Math.max(0, Math.floor((ms - data.begin) / whole * series.count)))];
}

const timePlots = [
  {
    id: "equity", height: 220, series: () => [equity], alt: "Equity over time", zero: true,
    draw(g, x, y, parts) { node(g, "path", { class: "curve", stroke: "var(--accent)", d: path(equity, parts[0], x, y) }); },
    read: (ms) => `${signed(valueAt(equity, ms))} ${data.currency}`,
  },
  {
    id: "drawdown", height: 110, series: () => [drawdown], alt: "Drawdown over time", zero: true,
    draw(g, x, y, parts, area) {
      const d = path(drawdown, parts[0], x, y);
      const ends = `V${y(0).toFixed(1)}H${d.slice(1, d.indexOf(" "))}Z`;
      if (d) node(g, "path", { d: d + ends, fill: "var(--fall)", opacity: .16 });
      node(g, "path", { class: "curve", stroke: "var(--fall)", d });
    },
    read: (ms) => `${amount(valueAt(drawdown, ms))} ${data.currency}`,
  },
  {
    id: "price", height: 300, series: () => desk ? [desk.price] : [], alt: "Mid price over time with own fills",
    draw(g, x, y, parts) {
      node(g, "path", { class: "curve thin", stroke: "var(--price)", d: path(desk.price, parts[0], x, y) });
      markers(g, x, y);
    },
    read: (ms, area, py) => {
      const near = nearest(ms, area, py);
      if (near !== null) return told(near);
      return `${fixed(valueAt(desk.price, ms), Math.min(desk.decimals + 1, decimalsOf(desk.price.step)))} ${desk.quote}`;
    },
  },
  {
    id: "position", height: 120, series: () => desk ? [desk.position] : [], alt: "Position over time", zero: true,
    draw(g, x, y, parts) {
      node(g, "path", { class: "curve", stroke: "var(--accent)", d: path(desk.position, parts[0], x, y, true) });
    },
    read: (ms) => `${signed(valueAt(desk.position, ms), (v) => fixed(v, decimalsOf(desk.position.step * 8)))} ${desk.base}`,
  },
];

const KINDS = ["sell hollow", "buy hollow", "sell solid", "buy solid"]; // bit 0 bought, bit 1 resting

function markers(g, x, y) {
  const f = desk.fills, paths = ["", "", "", ""];
  const inView = (t) => data.begin + t >= view.from && data.begin + t <= view.to;
  const room = (x(view.to) - x(view.from)) / Math.max(f.time.filter(inView).length, 1); // pixels a marker has
  const size = Math.min(5, Math.max(2, 1.6 + room * .5));
  for (let i = 0; i < f.time.length; i++) {
    if (!inView(f.time[i])) continue;
    const ms = data.begin + f.time[i], up = f.kind[i] & 1;
    const s = f.count.length ? Math.min(size + Math.log2(f.count[i]) * .3, 6) : size;
    const px = x(ms), py = y(f.price[i]), sign = up ? 1 : -1;
    paths[f.kind[i]] += `M${px.toFixed(1)} ${(py - sign * s).toFixed(1)}l${s.toFixed(1)} ${(sign * s * 1.75).toFixed(1)}h${(-2 * s).toFixed(1)}Z`;
  }
  paths.forEach((d, kind) => { if (d) node(g, "path", { class: KINDS[kind], d }); });
}

function nearest(ms, area, py) {
  if (py === null) return null;
  const f = desk.fills, px = area.x(ms);
  let best = null, distance = 12 ** 2;
  for (let i = 0; i < f.time.length; i++) {
    const dx = area.x(data.begin + f.time[i]) - px;
    if (Math.abs(dx) > 12) continue;
    const square = dx ** 2 + (area.y(f.price[i]) - py) ** 2;
    if (square < distance) { distance = square; best = i; }
  }
  return best;
}

function told(i) {
  const f = desk.fills, many = f.count.length ? f.count[i] : 1;
  const what = `${f.kind[i] & 1 ? "bought" : "sold"} ${f.qty[i]} ${desk.base} at ${fixed(f.price[i], desk.decimals)}`;
  return `${what}, ${f.kind[i] & 2 ? "resting" : "taking"}${many > 1 ? `, ${many} fills` : ""}`;
}

function drawTime(plot) {
  const figure = $(`plot-${plot.id}`), series = plot.series();
  if (!series.length) { figure.hidden = true; return; }
  const area = frame(figure, innerWidth < 520 ? Math.round(plot.height * .8) : plot.height, `${plot.alt}; ${data.currency}`);
  const parts = series.map((each) => range(each, view.from, view.to));
  let low = Math.min(...parts.map((p) => p.low)), high = Math.max(...parts.map((p) => p.high));
  if (plot.zero && low <= 0 && high < 0) high = 0;
  const air = (high - low) * .04;
  const y = values(area, low - air, plot.id === "drawdown" ? Math.max(high, 0) : high + air);
  const x = (ms) => area.x0 + (ms - view.from) / (view.to - view.from) * (area.x1 - area.x0);
  Object.assign(area, { x, y });
  const { step, out } = timeTicks(view.from, view.to, Math.max(2, Math.floor((area.x1 - area.x0) / 90)));
  for (const ms of out) {
    node(area.svg, "line", { class: "axis", x1: x(ms), x2: x(ms), y1: area.y1, y2: area.y0 });
    const at = Math.min(x(ms), area.x1 - 12);
    node(area.svg, "text", { x: at, y: area.y0 + 16, "text-anchor": "middle" }, clock(ms, step));
  }
  const g = clipped(area);
  for (const [from, to] of data.gaps) {
    const left = x(from), width = Math.max(x(to) - left, 1);
    node(g, "rect", { class: "gap", x: left, y: area.y1, width, height: area.y0 - area.y1 });
    node(g, "line", { class: "gapline", x1: left, x2: left, y1: area.y1, y2: area.y0 });
  }
  plot.draw(g, x, y, parts, area);
  plot.area = area;
  plot.figure = figure;
  plot.cross = node(area.svg, "line", { class: "cross", y1: area.y1, y2: area.y0, visibility: "hidden" });
  plot.pick = node(area.svg, "rect", { class: "pick", y: area.y1, height: area.y0 - area.y1, width: 0 });
}

function point(ms, only, py) {
  view.at = ms;
  for (const plot of timePlots) {
    if (!plot.area) continue;
    const readout = plot.figure.querySelector(".readout");
    plot.cross.setAttribute("visibility", ms === null ? "hidden" : "visible");
    readout.textContent = ms === null ? "" : plot.read(ms, plot.area, plot === only ? py : null);
    if (ms === null) continue;
    plot.cross.setAttribute("x1", plot.area.x(ms));
    plot.cross.setAttribute("x2", plot.area.x(ms));
  }
  span();
}

function span() {
  const { from, to, at } = view;
  $("span").textContent = at === null ? `${stamp(from)} to ${stamp(to)} UTC, ${length(to - from)}` : `${stamp(at)} UTC`;
}

function zoom(from, to) {
  const least = Math.min(whole, Math.max(whole / 2000, 20)), size = Math.min(Math.max(to - from, least), whole);
  const middle = Math.min(Math.max((from + to) / 2, data.begin + size / 2), data.end - size / 2);
  view.from = middle - size / 2;
  view.to = middle + size / 2;
  drawAllTime();
}

const scaled = (by) => {
  const middle = view.at ?? (view.from + view.to) / 2, half = (view.to - view.from) * by / 2;
  zoom(middle - half, middle + half);
};
const moved = (by) => zoom(view.from + (view.to - view.from) * by, view.to + (view.to - view.from) * by);
const reset = () => zoom(data.begin, data.end);

function drawAllTime() {
  const before = left;
  timePlots.forEach(drawTime);
  if (left > before) timePlots.forEach(drawTime);
  point(null);
}

function interact(plot) {
  const box = $(`plot-${plot.id}`).querySelector(".canvas");
  let from = null;
  const msOf = (event) => {
    const at = event.clientX - box.getBoundingClientRect().left, { x0, x1 } = plot.area;
    return view.from + Math.min(Math.max((at - x0) / (x1 - x0), 0), 1) * (view.to - view.from);
  };
  box.classList.add("live");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${plot.alt}: arrow keys move, plus and minus zoom, 0 shows the whole run`);
  box.addEventListener("pointermove", (event) => {
    const ms = msOf(event);
    point(ms, plot, event.clientY - box.getBoundingClientRect().top);
    if (from === null) return;
    const left = plot.area.x(Math.min(from, ms));
    for (const each of timePlots) {
      if (!each.area) continue;
      each.pick.setAttribute("x", left);
      each.pick.setAttribute("width", plot.area.x(Math.max(from, ms)) - left);
    }
  });
  box.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = msOf(event);
    box.setPointerCapture(event.pointerId);
  });
  const done = (event) => {
    if (from === null) return;
    const to = msOf(event), begun = from;
    from = null;
    if (event.type === "pointerup" && Math.abs(plot.area.x(to) - plot.area.x(begun)) > 6) zoom(Math.min(begun, to), Math.max(begun, to));
    else for (const each of timePlots) if (each.pick) each.pick.setAttribute("width", 0);
  };
  box.addEventListener("pointerup", done);
  box.addEventListener("pointercancel", done);
  box.addEventListener("pointerleave", () => { if (from === null) point(null); });
  box.addEventListener("dblclick", reset);
  box.addEventListener("keydown", (event) => {
    const act = { ArrowLeft: () => moved(-.2), ArrowRight: () => moved(.2), "+": () => scaled(.5), "=": () => scaled(.5),
      "-": () => scaled(2), 0: reset, Escape: reset }[event.key];
    if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
  });
}
