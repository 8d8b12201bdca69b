"use strict";
// All text comes in by `textContent`: keys and names are inert, whatever is in them.
const root = document.documentElement, base = root.dataset.base, token = root.dataset.token;
const $ = (id) => document.getElementById(id);
const KEPT = 300;
let last = null, paused = false, history = new Map(), sort = { column: 1, down: true };

function make(tag, text, attributes = {}) {
  const element = document.createElementNS(attributes.svg ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml", tag);
  for (const [name, value] of Object.entries(attributes)) if (name !== "svg") element.setAttribute(name, value);
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}
const whole = new Intl.NumberFormat("en");
const count = (n) => n < 1e6 ? whole.format(Math.round(n)) : n < 1e9 ? (n / 1e6).toFixed(1) + " M" : (n / 1e9).toFixed(1) + " G";
const rate = (n) => n < 10 && n % 1 ? n.toFixed(1) : count(n);
const percent = (part) => (part * 100).toFixed(part > 0 && part < 1 ? 1 : 0) + " %";
function time(seconds) {
  if (!seconds) return "0";
  if (seconds < 1e-3) return (seconds * 1e6).toFixed(0) + " µs";
  if (seconds < 1) return (seconds * 1e3).toFixed(seconds < .01 ? 1 : 0) + " ms";
  if (seconds < 120) return seconds.toFixed(seconds < 10 ? 1 : 0) + " s";
  if (seconds < 7200) return (seconds / 60).toFixed(0) + " min";
  return (seconds / 3600).toFixed(1) + " h";
}
function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1024 && unit < 4) { n /= 1024; unit++; }
  return (unit && n < 10 ? n.toFixed(1) : Math.round(n)) + " " + units[unit];
}
const served = (s) => s.hits + s.stale;

function pairs(list, facts, tiles) {
  const items = facts.map(([name, value, more, tone]) => {
    const parts = [make("dt", name), make("dd", value, tone ? { class: tone } : {})];
    if (tiles && more) parts.push(make("dd", more, { class: "sub" }));
    const tile = make("div");
    tile.append(...parts);
    return tile;
  });
  list.replaceChildren(...items);
}

// Mean and 95 % of what was loaded between two snapshots; null where nothing was.
function between(now, before) {
  const loads = now.count - before.count;
  if (loads <= 0) return { mean: null, most: null };
  const rank = loads * .95;
  let from = 0, below = 0, most = null;
  for (let n = 0; n < now.buckets.length; n++) {
    const [bound, all] = now.buckets[n], upTo = all - before.buckets[n][1];
    if (upTo >= rank) { most = from + (bound - from) * (rank - below) / Math.max(upTo - below, 1); break; }
    below = upTo; from = bound;
  }
  return { mean: (now.sum_seconds - before.sum_seconds) / loads, most: most ?? from };
}

function remember(data) {
  for (const cache of data.caches) {
    if (!history.has(cache.name)) history.set(cache.name, { before: null, points: [] });
    const past = history.get(cache.name), stats = cache.stats, before = past.before;
    past.before = { at: data.at, stats };
    // A reset goes back: there is nothing to compare with.
    if (!before || data.at <= before.at || stats.lookups < before.stats.lookups) continue;
    const gone = data.at - before.at;
    const hits = served(stats) - served(before.stats), misses = stats.misses - before.stats.misses;
    // So does one of a single function, while the cache goes on.
    if (hits < 0 || misses < 0) continue;
    const { mean, most } = between(stats.load_times, before.stats.load_times);
    past.points.push({ at: data.at, served: hits / gone, missed: misses / gone, ratio: hits + misses > 0 ? hits / (hits + misses) : null, mean, most });
    if (past.points.length > KEPT) past.points.shift();
  }
}

// The next larger of 1, 2 and 5 times a power of ten.
function above(n) {
  if (!(n > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= n * .999);
}

function chart(svg, points, lines, show, least, words) {
  const width = svg.clientWidth || 400, height = svg.clientHeight || 144, left = 48, bottom = 18, top = 8;
  const values = points.flatMap((point) => lines.map(([, of]) => of(point))).filter((value) => value !== null);
  const most = least === 1 ? 1 : Math.max(above(Math.max(0, ...values)), least);
  const span = Math.max(60, points.length ? points.at(-1).at - points[0].at : 60), end = points.length ? points.at(-1).at : 0;
  const x = (at) => left + (width - left - 4) * (1 - (end - at) / span);
  const y = (value) => top + (height - top - bottom) * (1 - value / most);
  const parts = [];
  for (const part of [0, .5, 1]) {
    parts.push(make("line", null, { svg: 1, x1: left, x2: width - 4, y1: y(most * part), y2: y(most * part) }));
    parts.push(make("text", show(most * part), { svg: 1, x: left - 6, y: y(most * part) + 4, "text-anchor": "end" }));
  }
  parts.push(make("text", time(span) + " ago", { svg: 1, x: left, y: height - 3 }));
  parts.push(make("text", "now", { svg: 1, x: width - 4, y: height - 3, "text-anchor": "end" }));
  for (const [name, of] of lines) {
    let path = "", open = false;
    for (const point of points) {
      const value = of(point);
      if (value === null) { open = false; continue; }
      path += `${open ? "L" : "M"}${x(point.at).toFixed(1)} ${y(Math.min(Math.max(value, 0), most)).toFixed(1)}${open ? "" : "h.1"}`;
      open = true;
    }
    if (path) parts.push(make("path", null, { svg: 1, class: name, d: path, "stroke-linecap": "round" }));
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...parts);
  svg.setAttribute("aria-label", words);
}

const COLUMNS = [
  ["Function", (f) => f.name],
  ["Reads", (f) => f.stats.lookups, count],
  ["Hit ratio", (f) => f.stats.hit_ratio, (v, f) => f.stats.lookups ? percent(v) : "–"],
  ["Misses", (f) => f.stats.misses, count],
  ["Loads", (f) => f.stats.loads, count],
  ["Failed", (f) => f.stats.load_errors, count],
  ["Mean load", (f) => f.stats.load_times.mean_seconds, time],
  ["95 %", (f) => f.stats.load_times.p95_seconds, time],
  ["Time saved", (f) => f.stats.time_saved_seconds, time],
  ["Entries", (f) => f.stats.entries, count],
  ["Memory", (f) => f.stats.bytes, bytes],
];

function heads() {
  const row = $("table").tHead.rows[0];
  row.replaceChildren(...COLUMNS.map(([name], column) => {
    const head = make("th", null, { scope: "col" }), button = make("button", name, { type: "button" });
    button.addEventListener("click", () => {
      sort = { column, down: sort.column === column ? !sort.down : column > 0 };
      marks(); show();
    });
    head.append(button);
    return head;
  }));
  marks();
}
function marks() {
  [...$("table").tHead.rows[0].cells].forEach((head, column) => {
    const mine = column === sort.column;
    if (mine) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending"); else head.removeAttribute("aria-sort");
    head.firstChild.textContent = COLUMNS[column][0] + (mine ? (sort.down ? " ↓" : " ↑") : "");
  });
}

function table(functions) {
  const wanted = $("filter").value.toLowerCase(), [, of] = COLUMNS[sort.column];
  const rows = functions.filter((f) => f.name.toLowerCase().includes(wanted));
  rows.sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0) * (sort.down ? -1 : 1));
  $("table").tBodies[0].replaceChildren(...rows.map((f) => {
    const row = make("tr");
    row.append(make("th", f.name === "dewar::Cache" ? "by hand (Cache)" : f.name, { scope: "row" }));
    for (const [name, value, text] of COLUMNS.slice(1)) row.append(make("td", text(value(f), f), { "data-name": name }));
    return row;
  }));
}

function misses(stats) {
  const reasons = ["absent", "expired", "invalidated", "bypassed", "refreshed"];
  // Beside the reason that memory had, and rare: shown where there are any.
  if (stats.undecodable) reasons.splice(1, 0, "undecodable");
  $("misses").replaceChildren(...reasons.map((reason) => {
    const item = make("li"), line = make("span");
    line.append(make("span", reason), make("span", count(stats[reason])));
    item.append(line, make("meter", null, { min: 0, max: Math.max(stats.misses, 1), value: stats[reason], "aria-label": reason }));
    return item;
  }));
}

function store(cache) {
  const s = cache.store, stats = cache.stats;
  if (!s) return pairs($("store"), [["Store", "none: this process' memory alone"]]);
  const yes = (flag, good, bad) => flag ? [good, null, "good"] : [bad, null, "bad"];
  pairs($("store"), [
    ["Store", s.store],
    ["Health", ...yes(s.up, "up", "down: circuit open")],
    ["Push", ...(s.push === null ? ["cannot"] : yes(s.push, "connected", "not connected"))],
    ["Last heard", s.last_heard_seconds === null ? "–" : time(s.last_heard_seconds) + " ago"],
    ["Fetched", count(stats.fetched)],
    ["Operations", count(stats.store_times.count)],
    ["95 % within", time(stats.store_times.p95_seconds)],
    ["Errors", count(stats.store_errors), null, stats.store_errors ? "bad" : ""],
    ["Undelivered", count(s.undelivered), null, s.undelivered ? "bad" : ""],
    ...(s.memory ? [["Memory used", bytes(s.memory.used) + (s.memory.limit ? " of " + bytes(s.memory.limit) : "")], ["Peak", bytes(s.memory.peak)], ["Fragmentation", s.memory.fragmentation.toFixed(2)], ["Keys", count(s.memory.keys)]] : []),
    ...(s.memory_only.length ? [["Memory only", s.memory_only.join(", ") + (s.memory_only_total > s.memory_only.length ? ` and ${count(s.memory_only_total - s.memory_only.length)} more` : "")]] : []),
  ]);
}

function operations(list) {
  const rows = list.map((o) => {
    const row = make("tr"), what = make("td");
    what.append(make("span", o.kind.replace("_", " "), { class: "tag " + o.kind }));
    if (o.detail) what.append(" " + o.detail);
    what.title = o.detail;
    row.append(make("td", new Date(o.at * 1000).toLocaleTimeString("en-GB")), what,
      make("td", o.function, { class: "fn", title: o.function }), make("td", o.key ?? "–", { class: "key", title: o.key ?? "" }));
    return row;
  });
  if (!rows.length) {
    const row = make("tr");
    row.append(make("td", "Nothing yet.", { colspan: 4 }));
    rows.push(row);
  }
  $("operations").tBodies[0].replaceChildren(...rows);
}

function choose(caches) {
  const select = $("cache"), names = caches.map((cache) => cache.name);
  if (names.join("\n") !== [...select.options].map((option) => option.value).join("\n")) {
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => make("option", name, { value: name })));
    if (names.includes(chosen)) select.value = chosen;
  }
  return caches.find((cache) => cache.name === select.value) ?? caches[0];
}

function show() {
  if (!last) return;
  const cache = choose(last.caches);
  if (!cache) return;
  const s = cache.stats, past = history.get(cache.name), points = past.points, now = points.at(-1);
  pairs($("tiles"), [
    ["Hit ratio", percent(s.hit_ratio), `${count(served(s))} of ${count(s.lookups)}` + (s.stale ? `, ${count(s.stale)} stale` : "")],
    ["Reads", now ? rate(now.served + now.missed) + "/s" : "0/s", count(s.lookups) + " in all"],
    ["Mean load", time(s.load_times.mean_seconds), `95 % within ${time(s.load_times.p95_seconds)}`],
    ["Loads", count(s.loads), `${count(s.load_errors)} failed, ${count(s.coalesced)} waits shared`],
    ["Time saved", time(s.time_saved_seconds), "reads served × mean load"],
    ["Entries", count(s.entries), `${count(s.stores)} stored, ${count(s.rejections)} not kept, ${count(s.evictions)} evicted`],
    ["Memory", bytes(s.bytes), s.entries ? bytes(s.bytes / s.entries) + " an entry" : "nothing kept"],
  ], true);
  chart($("reads"), points, [["c1", (p) => p.served], ["c3", (p) => p.missed]], rate, 10,
    now ? `Reads per second: now ${rate(now.served)} served and ${rate(now.missed)} missed` : "Reads per second: none yet");
  chart($("ratio"), points, [["c1", (p) => p.ratio]], (v) => Math.round(v * 100) + " %", 1,
    `Hit ratio: ${percent(s.hit_ratio)} over all`);
  chart($("latency"), points, [["c2", (p) => p.mean], ["c3", (p) => p.most]], time, 1e-5,
    `Load latency: mean ${time(s.load_times.mean_seconds)}, 95 % within ${time(s.load_times.p95_seconds)} over all`);
  table(cache.functions);
  // Of very many functions a page is told of those that matter most.
  $("rest").hidden = cache.functions.length === cache.functions_total;
  $("rest").firstChild.textContent = `Shown are ${count(cache.functions.length)} of ${count(cache.functions_total)} functions, those with the most reads; the figures above are of all.`;
  misses(s);
  store(cache);
  pairs($("configuration"), cache.configuration.concat(cache.dropped_events ? [["dropped events", count(cache.dropped_events)]] : []));
  operations(cache.operations);
}

function state(on, text) {
  document.querySelector(".live").className = "live " + (on ? "on" : "off");
  if ($("state").textContent !== text) $("state").textContent = text;
}

let source = null;
function connect() {
  source = new EventSource(base + "/events");
  source.onmessage = (event) => {
    const data = JSON.parse(event.data);
    remember(data);
    if (paused) return;
    last = data;
    state(true, "live");
    show();
  };
  // It comes back by itself, but not from a refusal.
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) { setTimeout(() => source.readyState === EventSource.CONNECTING && state(false, "connecting"), 2500); return; }
    state(false, "not connected");
    setTimeout(connect, 5000);
  };
}

$("cache").addEventListener("change", show);
$("filter").addEventListener("input", show);
addEventListener("resize", show);
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", paused);
  $("pause").textContent = paused ? "Go on" : "Pause";
  state(!paused, paused ? "paused" : "live");
});

if (token) {
  $("invalidation").hidden = false;
  $("what").addEventListener("change", () => { $("which").hidden = $("what").value === "all"; });
  $("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const order = { cache: $("cache").value, what: $("what").value, name: $("name").value };
    if (order.what === "all" && !confirm("Invalidate everything in the cache " + order.cache + "?")) return;
    $("said").textContent = "…";
    try {
      const answer = await fetch(base + "/invalidate", { method: "POST", headers: { "content-type": "application/json", "x-dewar-token": token }, body: JSON.stringify(order) });
      $("said").textContent = answer.ok ? `Invalidated: ${order.what} ${order.name}`.trim() : await answer.text();
      $("said").className = answer.ok ? "good" : "bad";
    } catch (error) {
      $("said").textContent = String(error);
      $("said").className = "bad";
    }
  });
} else {
  $("invalidation").remove();
}
heads();
connect();
