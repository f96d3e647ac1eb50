const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
const whole = data.end - data.begin;
const MONTH = 2592e6, DAY = 864e5, HOUR = 36e5, MINUTE = 6e4, SECOND = 1e3;

// ---- numbers and times as text

const minus = (text) => text.replace("-", "\u2212");
const fixed = (value, decimals) => minus(value.toLocaleString("en-US",
  { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).replace(/^-(?=[0.,]*$)/, ""));
const decimalsOf = (step) => Math.min(10, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
const amount = (value) => {
  const size = Math.abs(value);
  return fixed(value, size >= 1e6 ? 0 : size >= 1 || !size ? 2 : Math.min(8, 2 - Math.floor(Math.log10(size))));
};
const signed = (value, text = amount) => (value > 0 ? "+" : "") + text(value);
const pad = (n, width = 2) => String(n).padStart(width, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function clock(ms, step) {
  const t = new Date(ms), time = `${pad(t.getUTCHours())}:${pad(t.getUTCMinutes())}`;
  if (step === MONTH) return t.getUTCMonth() ? MONTHS[t.getUTCMonth()] : String(t.getUTCFullYear());
  if (step >= DAY) return `${t.getUTCDate()} ${MONTHS[t.getUTCMonth()]}`;
  if (step >= MINUTE) return time === "00:00" ? `${t.getUTCDate()} ${MONTHS[t.getUTCMonth()]}` : time;
  const seconds = `${time}:${pad(t.getUTCSeconds())}`;
  return step >= SECOND ? seconds : `${seconds}.${pad(t.getUTCMilliseconds(), 3)}`;
}

function stamp(ms) {
  const t = new Date(ms);
  return `${t.getUTCFullYear()}-${pad(t.getUTCMonth() + 1)}-${pad(t.getUTCDate())} ${clock(ms + 1e-3, view.to - view.from < 2 * MINUTE ? 1 : SECOND)}`;
}

function length(ms) {
  const parts = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]];
  if (ms < MINUTE) return `${+(ms / SECOND).toPrecision(3)} s`;
  let left = Math.round(ms / SECOND) * SECOND;
  const told = [];
  for (const [size, name] of parts) {
    const many = Math.floor(left / size);
    left -= many * size;
    if (many) told.push(`${many} ${name}`);
  }
  return told.slice(0, 2).join(" ");
}

// ---- data

function unpack(pack) {
  return pack.q.map((text) => {
    const bytes = atob(text), values = new Float64Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++) {
      values[i] = pack.low + pack.step * (bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8);
    }
    return values;
  });
}

function curve(pack) {
  const [low, high, last] = unpack(pack);
  return { low, high, last, count: low.length, step: pack.step || Math.abs(pack.low) * 1e-6 || 1e-6 };
}

const equity = curve(data.equity), drawdown = curve(data.drawdown);
const summed = (changes, unit = 1) => { let sum = 0; return changes.map((each) => (sum += each) * unit); };
const desks = data.desks.map((desk) => ({ ...desk, price: curve(desk.price), position: curve(desk.position),
  fills: { ...desk.fills, time: summed(desk.fills.time), price: summed(desk.fills.price, desk.fills.tick) } }));
let desk = desks[0];
const view = { from: data.begin, to: data.end, at: null };

// ---- drawing

function node(parent, name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function niceStep(span, count) {
  const rough = span / Math.max(count, 1), power = 10 ** Math.floor(Math.log10(rough)), unit = rough / power;
  return (unit <= 1 ? 1 : unit <= 2 ? 2 : unit <= 5 ? 5 : 10) * power;
}

function ticks(low, high, count) {
  const step = niceStep(high - low, count), out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) out.push(k * step);
  return { step, out };
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((n) => n * SECOND), [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  [1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 5, 10, 15].map((n) => n * DAY));

function monthTicks(from, to, count) {
  const months = (ms) => { const t = new Date(ms); return t.getUTCFullYear() * 12 + t.getUTCMonth(); };
  const each = [1, 2, 3, 6, 12].find((n) => (months(to) - months(from)) / n <= count) || 24, out = [];
  for (let m = Math.ceil(months(from) / each) * each; m <= months(to); m += each) {
    const ms = Date.UTC(Math.floor(m / 12), m % 12);
    if (ms >= from) out.push(ms);
  }
  return { step: MONTH, out };
}

function timeTicks(from, to, count) {
  if ((to - from) / count > 12 * DAY) return monthTicks(from, to, count);
  const step = STEPS.find((each) => (to - from) / each <= count) || STEPS[STEPS.length - 1], out = [];
  for (let k = Math.ceil(from / step); k * step <= to; k++) out.push(k * step);
  return { step, out };
}

const RIGHT = 6, TOP = 6, BOTTOM = 22;
let left = 62; // where plots begin: as wide as the widest label of any, so that all are in line

function frame(figure, height, alt) {
  const box = figure.querySelector(".canvas");
  const width = Math.max(box.clientWidth, 220);
  box.textContent = "";
  const svg = node(box, "svg", { height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": alt });
  return { svg, width, height, x0: left, x1: width - RIGHT, y0: height - BOTTOM, y1: TOP };
}

function values(area, low, high, text) {
  if (!(high > low)) { const by = Math.abs(low) * 1e-3 || 1; low -= by; high += by; }
  const y = (v) => area.y0 - (v - low) / (high - low) * (area.y0 - area.y1);
  const { step, out } = ticks(low, high, Math.max(3, Math.round((area.y0 - area.y1) / 42)));
  const decimals = decimalsOf(step);
  const label = (v) => {
    const size = Math.abs(v);
    const [unit, name] = !text && step >= 1e9 ? [1e9, " bn"] : !text && step >= 1e6 ? [1e6, " M"] : [1, ""];
    return text ? text(v, decimals) : size ? fixed(v / unit, unit > 1 ? decimalsOf(step / unit) : decimals) + name : "0";
  };
  left = Math.max(left, ...out.map((v) => 14 + 6.7 * label(v).length));
  for (const v of out) {
    node(area.svg, "line", { class: v === 0 ? "zero" : "axis", x1: area.x0, x2: area.x1, y1: y(v), y2: y(v) });
    node(area.svg, "text", { x: area.x0 - 8, y: y(v) + 4, "text-anchor": "end" }, label(v));
  }
  return y;
}

let clips = 0;
function clipped(area) {
  const id = `clip${clips++}`;
  const clip = node(node(area.svg, "defs"), "clipPath", { id });
  node(clip, "rect", { x: area.x0, y: area.y1 - 3, width: area.x1 - area.x0, height: area.y0 - area.y1 + 6 });
  return node(area.svg, "g", { "clip-path": `url(#${id})` });
}
