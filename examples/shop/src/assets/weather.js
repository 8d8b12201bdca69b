// The two charts of the weather page: temperature by the hour, and how long each answer took.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 480, HEIGHT = 240, LEFT = 62, RIGHT = 12, TOP = 12, BOTTOM = 26;
const KEPT = 20;
const answers = [];

const $ = (id) => document.getElementById(id);

function add(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Empties a chart, all but its description.
function cleared(id, description) {
  const chart = $(id);
  chart.replaceChildren(chart.querySelector("desc"));
  chart.querySelector("desc").textContent = description;
  return chart;
}

// Steps of 1, 2 or 5 times a power of ten, four or five of them.
function ticks(least, most) {
  const rough = Math.max((most - least) / 4, 1e-6);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const all = [];
  for (let n = Math.ceil(least / step) * step; n <= most + step * 1e-6; n += step) all.push(n);
  return all;
}

function scale(from, to, low, high) {
  return (value) => low + ((value - from) / (to - from)) * (high - low);
}

function axis(chart, least, most, unit) {
  const y = scale(least, most, HEIGHT - BOTTOM, TOP);
  for (const tick of ticks(least, most)) {
    add(chart, "line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) });
    const label = `${Number(tick.toFixed(2))}${unit}`;
    add(chart, "text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, label);
  }
  return y;
}

function drawTemperature({ city, celsius }) {
  const coldest = Math.min(...celsius), warmest = Math.max(...celsius);
  const chart = cleared("temperature", `${city}: from ${coldest} to ${warmest} degrees Celsius.`);
  const y = axis(chart, Math.floor(coldest - 1), Math.ceil(warmest + 1), "°");
  const x = scale(0, celsius.length - 1, LEFT + 6, WIDTH - RIGHT - 6);
  for (let hour = 0; hour < celsius.length; hour += 6) {
    add(chart, "text", { x: x(hour), y: HEIGHT - 8, "text-anchor": "middle" }, `${hour}:00`);
  }
  const line = celsius.map((value, hour) => `${x(hour).toFixed(1)},${y(value).toFixed(1)}`);
  const floor = HEIGHT - BOTTOM;
  add(chart, "polygon", { class: "area", points: `${x(0)},${floor} ${line.join(" ")} ${x(celsius.length - 1)},${floor}` });
  add(chart, "polyline", { class: "line", points: line.join(" ") });
  celsius.forEach((value, hour) => {
    const dot = add(chart, "circle", { class: "dot", cx: x(hour), cy: y(value), r: 3 });
    add(dot, "title", {}, `${hour}:00, ${value} °C`);
  });
}

function drawTimes() {
  const slowest = Math.max(...answers.map((answer) => answer.millis), 1);
  const last = answers[answers.length - 1];
  const chart = cleared("times", `The last of ${answers.length} answers took ${last.millis.toFixed(2)} milliseconds.`);
  const y = axis(chart, 0, slowest * 1.1, " ms");
  const room = (WIDTH - LEFT - RIGHT) / KEPT;
  answers.forEach(({ millis, source }, at) => {
    // One that took no time at all is still there to be seen.
    const height = Math.max(HEIGHT - BOTTOM - y(millis), 3);
    const bar = add(chart, "rect", {
      class: `time ${source}`, x: LEFT + at * room + 2, y: HEIGHT - BOTTOM - height,
      width: room - 4, height, rx: 2,
    });
    add(bar, "title", {}, `${source}: ${millis.toFixed(2)} ms`);
  });
  add(chart, "text", { x: LEFT, y: HEIGHT - 8 }, "earlier");
  add(chart, "text", { x: WIDTH - RIGHT, y: HEIGHT - 8, "text-anchor": "end" }, "later");
}

async function ask(fresh) {
  const city = $("city").value;
  const buttons = [$("ask-cached"), $("ask-fresh")];
  buttons.forEach((button) => { button.setAttribute("aria-busy", "true"); });
  try {
    const query = new URLSearchParams({ city, ...(fresh && { fresh: "1" }) });
    const response = await fetch(`/api/weather?${query}`);
    if (!response.ok) throw new Error(`the shop answered ${response.status}`);
    const answer = await response.json();
    answers.push(answer);
    if (answers.length > KEPT) answers.shift();
    drawTemperature(answer);
    drawTimes();
    const from = answer.source === "cache" ? "from the cache" : "from the service";
    $("answer").textContent = `${answer.city}: answered ${from} in ${answer.millis.toFixed(2)} ms. `
      + `Reading no. ${answer.reading}, taken at ${answer.asked_at}.`;
    $("answer").dataset.source = answer.source;
    $("answer").dataset.reading = answer.reading;
    $("answer").dataset.count = String(Number($("answer").dataset.count ?? 0) + 1);
  } catch (error) {
    $("answer").textContent = `The weather could not be asked for: ${error.message}.`;
  } finally {
    buttons.forEach((button) => { button.removeAttribute("aria-busy"); });
  }
}

$("ask-cached").addEventListener("click", () => ask(false));
$("ask-fresh").addEventListener("click", () => ask(true));
$("city").addEventListener("change", () => ask(false));
$("weather-form").addEventListener("submit", (event) => event.preventDefault());
ask(false);
