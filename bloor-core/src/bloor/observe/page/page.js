// ---- bars

function hover(area, figure, texts, shapes) {
  const readout = figure.querySelector(".readout");
  const show = (n) => {
    shapes.forEach((shape, i) => shape.classList.toggle("hot", i === n));
    readout.textContent = n === null ? "" : texts[n];
  };
  area.svg.addEventListener("pointerleave", () => show(null));
  area.svg.addEventListener("pointermove", (event) => {
    const box = area.svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * area.width;
    const n = Math.floor((at - area.x0) / (area.x1 - area.x0) * texts.length);
    show(n >= 0 && n < texts.length ? n : null);
  });
}

function bars(area, y, heights, good) {
  const width = (area.x1 - area.x0) / heights.length, air = width > 5 ? Math.min(3, width * .16) : .4;
  return heights.map((value, i) => {
    const top = Math.min(y(value), y(0)), tall = Math.max(Math.abs(y(value) - y(0)), value ? .8 : 0);
    return node(area.svg, "rect", { class: `bar ${good(i) ? "up" : "down"}`, x: area.x0 + i * width + air / 2, y: top,
      width: Math.max(width - air, .6), height: tall });
  });
}

function drawProfit() {
  const { every, begin, value } = data.profit, figure = $("plot-profit");
  figure.querySelector(".name").textContent = `Profit by ${every}, ${data.currency}`;
  const area = frame(figure, innerWidth < 520 ? 160 : 190, `Profit by ${every}`);
  const low = Math.min(0, ...value), high = Math.max(0, ...value), air = (high - low) * .05;
  const y = values(area, low - (low < 0 ? air : 0), high + (high > 0 ? air : 0));
  const shapes = bars(area, y, value, (i) => value[i] >= 0);
  const width = (area.x1 - area.x0) / value.length, each = begin.length > 1 ? begin[1] - begin[0] : HOUR;
  const wanted = Math.max(1, Math.ceil(value.length / ((area.x1 - area.x0) / 76)));
  const labels = [1, 2, 3, 4, 6, 12, 24, 48].find((n) => n >= wanted) || wanted;
  begin.forEach((ms, i) => {
    if (Math.round(ms / each) % labels) return;
    const at = Math.min(area.x0 + (i + (each >= DAY ? .5 : 0)) * width, area.x1 - 18);
    node(area.svg, "text", { x: at, y: area.y0 + 16, "text-anchor": "middle" }, clock(ms, each));
  });
  hover(area, figure, value.map((v, i) => `${stamp(begin[i]).slice(0, 19)} UTC: ${signed(v)} ${data.currency}`), shapes);
}

function histogram(id, { edges, share, below, above }, alt, good, unit) {
  const figure = $(`plot-${id}`);
  if (!figure) return;
  if (!share.length) { figure.querySelector(".canvas").textContent = "None in this run."; return; }
  const area = frame(figure, 220, alt);
  const percent = (v, d) => `${fixed(v * 100, Math.max(0, d - 2))} %`;
  const y = values(area, 0, Math.max(...share) * 1.05, percent);
  const shapes = bars(area, y, share, (i) => good((edges[i] + edges[i + 1]) / 2));
  const low = edges[0], high = edges[edges.length - 1], x = (v) => area.x0 + (v - low) / (high - low) * (area.x1 - area.x0);
  const { step, out } = ticks(low, high, Math.max(2, Math.floor((area.x1 - area.x0) / 70)));
  for (const v of out) {
    const at = Math.min(Math.max(x(v), area.x0 + 6), area.x1 - 12);
    node(area.svg, "text", { x: at, y: area.y0 + 16, "text-anchor": "middle" }, fixed(v, decimalsOf(step)));
  }
  const decimals = decimalsOf((high - low) / share.length) + 1;
  hover(area, figure, share.map((part, i) => {
    const from = i === 0 && below ? "less" : fixed(edges[i], decimals);
    const to = i === share.length - 1 && above ? "more" : fixed(edges[i + 1], decimals);
    return `${from} to ${to} ${unit}: ${fixed(part * 100, 1)} %`;
  }), shapes);
}

// ---- mark-outs

function drawMarkouts() {
  const figure = $("plot-markouts");
  if (!figure) return;
  const kinds = [["maker", "buy", "resting"], ["taker", "sell", "taking"]];
  const shown = kinds.filter(([kind]) => data.markouts.some((m) => m[kind][0] !== null));
  const area = frame(figure, 220, "Mark-out after a fill, makers and takers");
  const ends = shown.flatMap(([kind]) => data.markouts.filter((m) => m[kind][0] !== null)
    .flatMap((m) => [m[kind][0] - 2 * (m[kind][1] || 0), m[kind][0] + 2 * (m[kind][1] || 0)]));
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends), air = (high - low) * .06;
  const y = values(area, low - air, high + air), each = (area.x1 - area.x0) / data.markouts.length;
  const x = (i) => area.x0 + (i + .5) * each;
  data.markouts.forEach((m, i) => node(area.svg, "text", { x: x(i), y: area.y0 + 16, "text-anchor": "middle" },
    m.seconds ? `${m.seconds} s` : "at fill"));
  shown.forEach(([kind, tone], k) => {
    const off = (k - (shown.length - 1) / 2) * 8;
    const points = data.markouts.map((m, i) => [x(i) + off, ...m[kind]]).filter((p) => p[1] !== null);
    node(area.svg, "path", { class: "curve", stroke: `var(--${tone})`, d: points.map(([px, v], i) => `${i ? "L" : "M"}${px} ${y(v)}`).join("") });
    for (const [px, v, error] of points) {
      node(area.svg, "line", { x1: px, x2: px, y1: y(v - 2 * (error || 0)), y2: y(v + 2 * (error || 0)), stroke: `var(--${tone})`, "stroke-width": 1.5, opacity: .6 });
      const mark = kind === "maker" ? `M${px - 4} ${y(v)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z` : `M${px - 3.6} ${y(v) - 3.6}h7.2v7.2h-7.2Z`;
      node(area.svg, "path", { class: `${tone} solid`, d: mark });
    }
  });
  hover(area, figure, data.markouts.map((m) => shown.map(([kind, , name]) =>
    m[kind][0] === null ? `${name}: none` : `${name} ${signed(m[kind][0], (v) => fixed(v, 3))} (${fixed(m[kind][2], 0)})`).join(", ")), []);
}

// ---- legends, choice of desk, start

function legend(id, entries) {
  const figure = $(`plot-${id}`);
  if (!figure) return;
  const place = document.createElement("span");
  place.className = "legend";
  for (const [tone, d, text] of entries) {
    const svg = node(place, "svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true" });
    node(svg, "path", { class: tone, d });
    place.append(text);
  }
  figure.querySelector(".name").append(place);
}

function named() {
  if (!desk) return;
  const merged = desk.fills.merged_s;
  $("plot-price").querySelector(".name").firstChild.textContent = desks.length > 1 ? `${desk.name}, mid price and own fills` : "Mid price and own fills";
  $("plot-position").querySelector(".name").textContent = `Position, ${desk.base}`;
  let note = $("plot-price").querySelector(".note");
  if (!note) { note = document.createElement("p"); note.className = "note"; $("plot-price").append(note); }
  note.textContent = merged ? `Fills of one side within ${length(merged * SECOND)} are one marker, at their mean price.` : "";
}

function drawAll() {
  clips = 0;
  drawAllTime();
  drawProfit();
  histogram("trips", data.trips, "Profit of round trips", (v) => v >= 0, data.currency);
  histogram("slippage", data.slippage, "Slippage", (v) => v <= 0, "bps");
  drawMarkouts();
}

const UP = "M0 -5L5 4H-5Z", DOWN = "M0 5L5 -4H-5Z", DOT = "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", BOX = "M-4 -4h8v8h-8Z";
legend("price", [["buy solid", UP, "bought"], ["sell solid", DOWN, "sold"], ["buy hollow", UP, "taking: hollow"]]);
legend("markouts", [["buy solid", DOT, "resting"], ["sell solid", BOX, "taking"]]);
if (desks.length > 1) {
  desks.forEach((each, n) => $("desk").append(new Option(each.name, n)));
  $("desk").addEventListener("change", (event) => { desk = desks[+event.target.value]; named(); drawAllTime(); });
}
$("in").addEventListener("click", () => scaled(.5));
$("out").addEventListener("click", () => scaled(2));
$("whole").addEventListener("click", reset);
named();
drawAll();
timePlots.forEach((plot) => { if (plot.area) interact(plot); });
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawAll(); } });
addEventListener("beforeprint", drawAll);
