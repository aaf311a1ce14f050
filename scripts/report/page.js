"use strict";
// Draws the charts of the page, and answers clicks and keys.

const PAGE = JSON.parse(document.getElementById("data").textContent);
const TEXT = {labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 11, titleFontSize: 12,
  titleFontWeight: "normal"};
const CONFIG = {
  background: null, font: "system-ui, sans-serif", view: {stroke: null},
  axis: {...TEXT, gridColor: "var(--line)", domainColor: "var(--pale)", tickColor: "var(--pale)"},
  legend: {...TEXT, symbolType: "square"}, line: {strokeWidth: 2},
};
const ERRORS = 1;           // Vega's level of what is told: charts without data yet are no fault
const LEVELS = 8;           // of the colours of a heat map
const ROW = 13;             // pixels of a row over time
const LEAST = 8;            // cycles that a chart of time shows at least
const views = new Map();    // chart: Vega's view
const query = (selector, place = document) => place.querySelector(selector);
const all = (selector, place = document) => [...place.querySelectorAll(selector)];
const words = (number) => number.toLocaleString("en-US");
const within = (value, least, most) => Math.max(least, Math.min(most, value));

async function view(name) {
  // The view of a chart, drawn when it is first wanted.
  if (!views.has(name)) {
    const box = query(`[data-chart="${name}"]`);
    const label = box.getAttribute("aria-label");
    views.set(name, vegaEmbed(box, PAGE.specs[name], {
      mode: "vega-lite", renderer: "svg", actions: false, config: CONFIG, logLevel: ERRORS,
    }).then((made) => {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", label);
      box.dataset.drawn = "yes";
      return made.view;
    }));
  }
  return views.get(name);
}

async function inflated(text, kind) {
  // Numbers that were deflated.
  if (!text) return new kind();
  const raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new kind(await new Response(stream).arrayBuffer());
}

// Charts with a table: the chosen row is read out.

async function choose(figure, row) {
  const rows = all("tbody tr", figure);
  row = within(row, 0, rows.length - 1);
  figure.dataset.row = row;
  rows.forEach((each, place) => each.classList.toggle("chosen", place === row));
  const heads = all("thead th", figure), cells = [...rows[row].children];
  query("output", figure).textContent = cells.map(
    (cell, place) => `${heads[place].textContent} ${cell.textContent}`).join(" · ");
  const made = await view(query(".chart", figure).dataset.chart);
  await made.signal("chosen", row).runAsync();
}

function steps(event) {
  // How many rows a key goes on.
  return {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -Infinity, End: Infinity}[event.key];
}

async function prepare(box) {
  const figure = box.closest("figure"), made = await view(box.dataset.chart);
  made.addEventListener("click", (event, item) => {
    if (item && item.datum && item.datum.row !== undefined) choose(figure, item.datum.row);
  });
  box.addEventListener("keydown", (event) => {
    const step = steps(event);
    if (step === undefined) return;
    event.preventDefault();
    choose(figure, figure.dataset.row === undefined ? 0 : Number(figure.dataset.row) + step);
  });
}

// Data of a run, as it is drawn.

const runs = new Map();

async function runOf(index) {
  if (!runs.has(index)) runs.set(index, (async () => {
    const run = {...PAGE.runs[index]};
    const busy = await inflated(run.busy, Int32Array);
    let place = 0;
    run.busy = run.counts.map((count) => {
      const bounds = new Int32Array(2 * count);
      let cycle = 0;
      for (let bound = 0; bound < 2 * count; bound++) bounds[bound] = cycle += busy[place++];
      return bounds;
    });
    run.fills = await inflated(run.fills, Int32Array);
    run.error = await inflated(run.maps.error, Uint8Array);
    run.wrong = await inflated(run.maps.wrong, Int32Array);
    run.places = run.maps.sides.map((side, unit) => run.maps.sides.slice(0, unit).reduce(
      (sum, each) => sum + each * each, 0));
    return run;
  })());
  return runs.get(index);
}

function fillSelect(select, names, chosen) {
  select.replaceChildren(...names.map((name, place) => new Option(name, place)));
  select.selectedIndex = chosen;
}

// The Gantt chart.

const gantt = {from: 0, to: 1, unit: -1, run: null};

function shares(bounds, from, to, bins) {
  // The share of each bin in which a unit works.
  const wide = (to - from) / bins, found = new Float64Array(bins);
  let low = 0, high = bounds.length / 2;
  while (low < high) {                 // the first interval that ends behind ``from``
    const middle = (low + high) >> 1;
    if (bounds[2 * middle + 1] <= from) low = middle + 1; else high = middle;
  }
  for (; low < bounds.length / 2 && bounds[2 * low] < to; low++) {
    const begin = Math.max(bounds[2 * low], from), end = Math.min(bounds[2 * low + 1], to);
    for (let bin = Math.floor((begin - from) / wide); bin < bins; bin++) {
      const left = from + bin * wide, share = Math.min(end, left + wide) - Math.max(begin, left);
      if (share <= 0) break;
      found[bin] += share / wide;
    }
  }
  return found;
}

function together(values, edge, row) {
  // Rectangles of neighbours with the same value; none where it is 0.
  const found = [];
  for (let start = 0, end; start < values.length; start = end) {
    for (end = start + 1; end < values.length && values[end] === values[start]; end++);
    if (values[start]) found.push({...row(values[start]), from: edge(start), to: edge(end)});
  }
  return found;
}

async function drawGantt() {
  const {run, from, to, unit} = gantt;
  const bins = Math.min(240, to - from), wide = (to - from) / bins, busy = [], held = [];
  run.units.forEach((name, place) => {
    // A share that is not nothing is seen.
    const levels = Array.from(shares(run.busy[place], from, to, bins), (share) =>
      share > 1e-9 ? Math.max(1, Math.round(share * 5)) : 0);
    busy.push(...together(levels, (bin) => from + bin * wide, (level) => ({name, share: level / 5})));
    run.held[place].forEach(([begin, end]) => {
      if (begin < to && end > from) held.push({name, from: Math.max(begin, from), to: Math.min(end, to)});
    });
  });
  const made = await view("gantt");
  await made.height(ROW * run.units.length).signal("rows", run.units).signal("from", from).signal("to", to).signal("chosen", unit < 0 ? "" : run.units[unit])
    .data("held", held).data("busy", busy).runAsync();
}

function tellGantt(cycle) {
  const {run, from, to, unit} = gantt, figure = query('[data-own="gantt"]');
  let text = `Cycles ${words(from)} to ${words(to)}.`;
  if (unit >= 0) {
    const inside = (intervals) => intervals.reduce(
      (sum, [begin, end]) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0);
    const pairs = Array.from({length: run.counts[unit]}, (_, place) =>
      [run.busy[unit][2 * place], run.busy[unit][2 * place + 1]]);
    const busy = inside(pairs), held = inside(run.held[unit]);
    text += ` ${run.units[unit]}: ${words(busy)} busy, ${words(held - busy)} waiting, ` +
      `${words(to - from - held)} idle.`;
    if (cycle !== undefined) {
      const at = (intervals) => intervals.some(([begin, end]) => begin <= cycle && cycle < end);
      text += ` In cycle ${words(cycle)} it ${at(pairs) ? "works" : at(run.held[unit]) ? "waits" : "is idle"}.`;
    }
    query("#gantt-unit").selectedIndex = unit + 1;
  }
  query("output", figure).textContent = text;
}

async function showGantt(from, to, cycle) {
  const end = gantt.run.end, wide = within(Math.round(to - from), Math.min(LEAST, end), end);
  gantt.from = Math.round(within(from, 0, end - wide));
  gantt.to = gantt.from + wide;
  tellGantt(cycle);
  await drawGantt();
}

function act(name) {
  const {from, to} = gantt, wide = to - from, middle = (from + to) / 2;
  const [begin, end] = {
    in: [middle - wide / 4, middle + wide / 4], out: [from - wide / 2, to + wide / 2],
    left: [from - wide / 4, to - wide / 4], right: [from + wide / 4, to + wide / 4],
    all: [0, gantt.run.end]}[name];
  return showGantt(begin, end);
}

async function prepareGantt() {
  const box = query('[data-chart="gantt"]'), made = await view("gantt");
  const cycleAt = (event) => {
    const left = query("svg", box).getBoundingClientRect().left;
    return made.scale("x").invert(event.clientX - left - made.origin()[0]);
  };
  let begun = null;
  box.addEventListener("pointerdown", (event) => { begun = event.pointerType === "mouse" ? cycleAt(event) : null; });
  box.addEventListener("pointerup", (event) => {
    const ended = cycleAt(event);
    // A click is no drag.
    if (begun !== null && Math.abs(ended - begun) > (gantt.to - gantt.from) / 50)
      showGantt(Math.min(begun, ended), Math.max(begun, ended));
    begun = null;
  });
  box.addEventListener("dblclick", () => act("all"));
  made.addEventListener("click", (event, item) => {
    if (!item || !item.datum || !item.datum.name) return;
    gantt.unit = gantt.run.units.indexOf(item.datum.name);
    showGantt(gantt.from, gantt.to, Math.floor(cycleAt(event)));
  });
  box.addEventListener("keydown", (event) => {
    const acts = {"+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "all"};
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!(event.key in acts) && !step) return;
    event.preventDefault();
    if (!step) { act(acts[event.key]); return; }
    gantt.unit = within(gantt.unit + step, 0, gantt.run.units.length - 1);
    showGantt(gantt.from, gantt.to);
  });
  all("#gantt-controls button").forEach((button) => button.addEventListener("click", () => act(button.dataset.act)));
  query("#gantt-unit").addEventListener("change", (event) => {
    gantt.unit = event.target.selectedIndex - 1;
    showGantt(gantt.from, gantt.to);
  });
}

async function useGantt(run) {
  gantt.run = run;
  gantt.unit = -1;
  fillSelect(query("#gantt-unit"), ["all", ...run.units], 0);
  await showGantt(0, run.end);
}

// Fills of memories.

const fill = {run: null, memory: 0};

async function drawFills() {
  const {run, memory} = fill, bins = run.edges.length - 1;
  const figure = query('[data-own="fills"]');
  figure.hidden = run.memories.length === 0;
  if (figure.hidden) return;
  const rows = run.memories.map((each, place) => run.fills.subarray(place * bins, (place + 1) * bins));
  const levels = run.memories.flatMap(({name, room}, place) => together(
    Array.from(rows[place], (count) => count ? Math.max(1, Math.round(count / room * LEVELS)) : 0),
    (bin) => run.edges[bin], (level) => ({name, level})));
  const {name, room} = run.memories[memory], chosen = rows[memory];
  const line = Array.from(chosen, (count, bin) => ({from: run.edges[bin], words: count}));
  line.push({from: run.end, words: chosen[bins - 1]});
  const heat = await view("fills"), one = await view("fill");
  await heat.height(ROW * rows.length).signal("rows", run.memories.map((each) => each.name))
    .signal("from", 0).signal("to", run.end).signal("chosen", name).data("levels", levels).runAsync();
  await one.signal("from", 0).signal("to", run.end).data("words", line).data("room", [{words: room}]).runAsync();
  query("#fill-memory").selectedIndex = memory;
  query("output", figure).textContent = `${name}: at most ${words(Math.max(...chosen))} of ${words(room)} words.`;
}

function chooseMemory(memory) {
  fill.memory = within(memory, 0, fill.run.memories.length - 1);
  return drawFills();
}

async function prepareFills() {
  const box = query('[data-chart="fills"]');
  for (const name of ["fills", "fill"]) {
    query(`[data-chart="${name}"]`).addEventListener("keydown", (event) => {
      const step = steps(event);
      if (step === undefined) return;
      event.preventDefault();
      chooseMemory(fill.memory + step);
    });
  }
  (await view("fills")).addEventListener("click", (event, item) => {
    if (item && item.datum && item.datum.name)
      chooseMemory(fill.run.memories.findIndex(({name}) => name === item.datum.name));
  });
  query("#fill-memory").addEventListener("change", (event) => chooseMemory(event.target.selectedIndex));
}

async function useFills(run) {
  fill.run = run;
  fillSelect(query("#fill-memory"), run.memories.map(({name}) => name), 0);
  if (run.memories.length) await chooseMemory(0); else await drawFills();
}

// Maps of errors.

const map = {run: null, unit: 0, cell: -1};

function cellText(cell) {
  const {run, unit} = map, side = run.maps.sides[unit], scale = Math.ceil(run.maps.pixels[unit] / side);
  const place = run.places[unit] + cell, wrong = query("#map-kind").value === "wrong";
  const value = wrong ? `${words(run.wrong[place])} elements differ`
    : `error ${(run.error[place] / 255 * run.maps.most[unit]).toPrecision(3)}`;
  const row = Math.floor(cell / side) * scale, column = cell % side * scale;
  return `${run.units[unit]}, row ${row}, column ${column}${scale > 1 ? ` (${scale} × ${scale} pixels)` : ""}: ${value}`;
}

async function drawMap() {
  const {run, unit, cell} = map, side = run.maps.sides[unit], wrong = query("#map-kind").value === "wrong";
  const scale = Math.ceil(run.maps.pixels[unit] / side), begin = run.places[unit];
  const values = (wrong ? run.wrong : run.error).subarray(begin, begin + side * side);
  const most = wrong ? Math.max(1, ...values) : 255;
  const cells = Array.from(values, (value, place) => ({
    cell: place, row: Math.floor(place / side) * scale, column: place % side * scale,
    level: value ? Math.max(1, Math.round(value / most * LEVELS)) : 0,
    [wrong ? "elements" : "error"]: wrong ? value : Number((value / 255 * run.maps.most[unit]).toPrecision(3))}));
  const room = query('[data-chart="map"]').clientWidth, size = within(room - 60, 120, 420);
  const made = await view("map");
  await made.width(size).height(size).signal("chosen", cell).data("cells", cells).runAsync();
  query("#map-most").textContent = wrong ? `${words(Math.max(...values))} elements of a cell`
    : `${run.maps.most[unit].toPrecision(3)}, root mean square`;
  const counts = run.maps.channels[unit], box = query("#map-channels");
  box.hidden = !(wrong && counts);
  if (!box.hidden) await (await view("channels")).data("channels", counts.map(
    (elements, channel) => ({channel, elements}))).resize().runAsync();
  query("#map-unit").selectedIndex = unit;
  query("output", query('[data-own="maps"]')).textContent = cell < 0
    ? `${run.units[unit]}: ${wrong ? `${words(values.reduce((sum, each) => sum + each, 0))} elements differ`
      : `greatest error ${run.maps.most[unit].toPrecision(3)}`}` : cellText(cell);
}

function chooseCell(unit, cell) {
  map.unit = within(unit, 0, map.run.units.length - 1);
  map.cell = within(cell, -1, map.run.maps.sides[map.unit] ** 2 - 1);
  return drawMap();
}

async function prepareMaps() {
  (await view("map")).addEventListener("click", (event, item) => {
    if (item && item.datum && item.datum.cell !== undefined) chooseCell(map.unit, item.datum.cell);
  });
  query('[data-chart="map"]').addEventListener("keydown", (event) => {
    const side = map.run.maps.sides[map.unit], cell = Math.max(0, map.cell);
    const to = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [0, -side], ArrowDown: [0, side],
      PageUp: [-1], PageDown: [1]}[event.key];
    if (!to) return;
    event.preventDefault();
    if (to.length === 1) chooseCell(map.unit + to[0], -1);
    else chooseCell(map.unit, map.cell < 0 ? 0 : Math.max(0, cell + to[1]));
  });
  query("#map-unit").addEventListener("change", (event) => chooseCell(event.target.selectedIndex, -1));
  query("#map-kind").addEventListener("change", drawMap);
}

async function useMaps(run, index) {
  map.run = run;
  fillSelect(query("#map-unit"), run.units, 0);
  const wrong = PAGE.runs[index].maps.channels;
  query("#map-kind").value = Object.keys(wrong).length ? "wrong" : "error";
  await chooseCell(run.first, -1);
}

// The page.

async function useRun(index) {
  all("[data-run]").forEach((each) => { each.hidden = Number(each.dataset.run) !== index; });
  await drawShown();
  const run = await runOf(index);
  await useGantt(run);
  await useFills(run);
  await useMaps(run, index);
}

async function drawShown() {
  // Charts are drawn when they are to be seen: what is hidden has no width.
  for (const box of all("figure[id]:not([hidden]) .chart:not([data-drawn])")) await prepare(box);
}

function useTheme() {
  const chosen = query("#theme").value;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

async function start() {
  query("#theme").addEventListener("change", useTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", useTheme);
  useTheme();
  if (PAGE.runs.length) {
    await prepareGantt();
    await prepareFills();
    await prepareMaps();
    query("#run").addEventListener("change", (event) => useRun(event.target.selectedIndex));
    await useRun(0);
  } else {
    await drawShown();
  }
  document.documentElement.dataset.ready = "yes";
}

start();
