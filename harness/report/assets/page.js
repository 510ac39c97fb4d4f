"use strict";
// Filters the list, and draws a scenario when it is opened. Until then its data and the library lie
// packed in the page.

const find = (selector, within = document) => [...within.querySelectorAll(selector)];
const root = document.documentElement;

// -- data ---------------------------------------------------------------------

async function unpack(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (char) =>
    char.charCodeAt(0),
  );
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

let library;
function plotly() {
  library ??= unpack("plotly").then((text) => {
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    return window.Plotly;
  });
  return library;
}

const loaded = new Map();
function data(number) {
  if (!loaded.has(number)) loaded.set(number, unpack(`data-${number}`).then(JSON.parse));
  return loaded.get(number);
}

// -- drawing ------------------------------------------------------------------

// Plotly reads a little HTML in its texts, and names may hold any.
const plain = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const shade = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const milliseconds = (value) => `${value.toFixed(Math.abs(value) < 100 ? 3 : 1)} ms`;

const BARS = {
  MASTER: ["#2f7ed8", "master"],
  BACKUP: ["#9fc3ee", "backup"],
  FAULT: ["#e0a458", "fault state"],
  off: ["#6b7280", "off or ended"],
  VIP: ["#7b5cc4", "holds the VIP"],
  pool: ["#2e9e6b", "in the pool"],
  drained: ["#b9c96a", "weight 0"],
  serves: ["#8fb8a4", "httpd runs"],
  window: ["#d9a400", "when it is due"],
};
const NAMED = ["MASTER", "BACKUP", "FAULT", "off"];
const MARKS = {
  advertisement: ["#1c2f4a", "line-ns-open", 9],
  resignation: ["#c62a2f", "x-thin-open", 9],
  "gratuitous ARP": ["#e45fae", "triangle-up", 9],
  "failed request": ["#e5262b", "x", 8],
  "on time": ["#18794e", "diamond", 11],
  "not on time": ["#e5262b", "diamond", 13],
};
const SERVERS = [
  "#0f9ed5",
  "#e68a00",
  "#5aa02c",
  "#9467bd",
  "#8c564b",
  "#17becf",
  "#bcbd22",
  "#d26ac2",
];

function traces(picture) {
  const dark = root.dataset.theme === "dark";
  const room = (picture.span[1] - picture.span[0]) * 0.06; // for a name on a bar
  const found = [];
  for (const [kind, bars] of grouped(picture.bars, 3)) {
    const [color, name] = BARS[kind] ?? ["#888888", kind];
    found.push({
      type: "bar",
      orientation: "h",
      name: plain(name),
      base: bars.map((bar) => bar[1]),
      x: bars.map((bar) => bar[2] - bar[1]),
      y: bars.map((bar) => bar[0]),
      width: kind === "window" ? 0.5 : 0.62,
      marker: {
        color,
        line: { width: 0 },
        pattern:
          kind === "window"
            ? { shape: "/", fgcolor: color, bgcolor: "rgba(217,164,0,.25)", size: 6 }
            : {},
      },
      text: bars.map((bar) => (NAMED.includes(kind) && bar[2] - bar[1] > room ? plain(kind) : "")),
      textposition: "inside",
      insidetextanchor: "start",
      textangle: 0,
      constraintext: "inside",
      textfont: { size: 11, color: kind === "BACKUP" || kind === "FAULT" ? "#14202e" : "#ffffff" },
      customdata: bars.map(
        (bar) => `${plain(bar[4])}<br>${milliseconds(bar[1])} to ${milliseconds(bar[2])}`,
      ),
      hovertemplate: "%{customdata}<extra></extra>",
    });
  }
  const servers = [
    ...new Set(
      picture.marks.map((mark) => mark[2]).filter((kind) => kind.startsWith("answered by ")),
    ),
  ].sort();
  for (const [kind, marks] of grouped(picture.marks, 2)) {
    const server = servers.indexOf(kind);
    let [color, symbol, size] = MARKS[kind] ?? [SERVERS[server % SERVERS.length], "circle", 7];
    if (kind === "advertisement" && dark) color = "#ffffff";
    found.push({
      type: "scatter",
      mode: "markers",
      name: plain(kind),
      x: marks.map((mark) => mark[1]),
      y: marks.map((mark) => mark[0]),
      marker: { color, symbol, size, line: { width: symbol.endsWith("open") ? 1.5 : 0, color } },
      customdata: marks.map((mark) => `${milliseconds(mark[1])}<br>${plain(mark[3])}`),
      hovertemplate: "%{customdata}<extra></extra>",
    });
  }
  return found;
}

function grouped(rows, index) {
  const groups = new Map();
  for (const row of rows)
    groups.has(row[index]) ? groups.get(row[index]).push(row) : groups.set(row[index], [row]);
  return groups;
}

function layout(picture) {
  const text = shade("--text"),
    line = shade("--line");
  const shapes = [],
    annotations = [];
  for (const [from, to, node, name] of picture.spans) {
    shapes.push({
      type: "rect",
      xref: "x",
      yref: "paper",
      x0: from,
      x1: to,
      y0: 0,
      y1: 1,
      fillcolor: "rgba(226,60,60,.09)",
      line: { width: 1, color: "rgba(226,60,60,.5)", dash: "dot" },
      layer: "below",
    });
    const rows = picture.rows.flatMap((row, number) => (row[0] === node ? [number] : []));
    if (rows.length)
      shapes.push({
        type: "rect",
        xref: "x",
        yref: "y",
        x0: from,
        x1: to,
        y0: rows[0] - 0.5,
        y1: rows.at(-1) + 0.5,
        fillcolor: "rgba(226,60,60,.13)",
        line: { width: 0 },
        layer: "below",
      });
    annotations.push({
      x: from,
      xref: "x",
      y: 1,
      yref: "paper",
      yanchor: "bottom",
      xanchor: "left",
      text: plain(`${name} on ${node}`),
      showarrow: false,
      font: { size: 12, color: shade("--failed") },
    });
  }
  picture.rows.forEach((row, number) => {
    if (number && row[0] !== picture.rows[number - 1][0])
      shapes.push({
        type: "line",
        xref: "paper",
        yref: "y",
        x0: 0,
        x1: 1,
        y0: number - 0.5,
        y1: number - 0.5,
        line: { width: 1, color: line },
        layer: "below",
      });
  });
  const labels = picture.rows.map((row, number) =>
    number && row[0] === picture.rows[number - 1][0]
      ? plain(row[1])
      : `<b>${plain(row[0])}</b>  ${plain(row[1])}`,
  );
  return {
    height: 140 + 27 * picture.rows.length,
    margin: { l: 10, r: 12, t: 48, b: 44 },
    barmode: "overlay",
    bargap: 0.2,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: shade("--soft"), activecolor: shade("--accent") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, size: 12, family: getComputedStyle(document.body).fontFamily },
    xaxis: {
      title: {
        text: `milliseconds after ${picture.spans.length ? "the fault" : "the beginning"}`,
        standoff: 6,
      },
      range: widened(picture.span),
      gridcolor: line,
      zeroline: true,
      zerolinecolor: shade("--failed"),
      tickformat: ",~f",
      hoverformat: ",.3f",
    },
    yaxis: {
      tickvals: picture.rows.map((_, number) => number),
      ticktext: labels,
      range: [picture.rows.length - 0.5, -0.5],
      automargin: true,
      fixedrange: true,
      showgrid: false,
      zeroline: false,
    },
    legend: {
      orientation: "h",
      y: -44 / (27 * picture.rows.length + 1) - 0.02,
      yanchor: "top",
      font: { size: 11 },
    },
    hovermode: "closest",
    dragmode: "pan",
    shapes,
    annotations,
    hoverlabel: { bgcolor: shade("--card"), bordercolor: line, font: { color: text } },
  };
}

function widened([from, to]) {
  const room = Math.max(1, (to - from) * 0.02);
  return [from - room, to + room];
}

async function draw(place) {
  const [Plotly, picture] = await Promise.all([plotly(), data(place.dataset.picture)]);
  if (!picture.rows.length) {
    place.textContent = "No events to draw.";
    return;
  }
  place.textContent = "";
  const chart = document.createElement("div");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", described(picture));
  place.append(tools(Plotly, chart, picture), chart);
  await Plotly.newPlot(chart, traces(picture), layout(picture), {
    responsive: true,
    scrollZoom: true,
    displaylogo: false,
    showSendToCloud: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: "timeline" },
  });
  place.dataset.drawn = "yes";
}

function described(picture) {
  const faults = picture.spans.map(
    ([from, to, node, name]) =>
      `${name} on ${node} from ${milliseconds(from)} to ${milliseconds(to)}`,
  );
  const verdicts = picture.marks
    .filter((mark) => mark[2].endsWith("on time"))
    .map((mark) => mark[3]);
  return ["Timeline.", ...faults, ...verdicts, "All events are in the table below."].join(" ");
}

function tools(Plotly, chart, picture) {
  const bar = document.createElement("div");
  bar.className = "tools";
  const range = () => chart.layout.xaxis.range.map(Number);
  const show = (from, to) => Plotly.relayout(chart, { "xaxis.range": [from, to] });
  const zoom = (factor) => {
    const [from, to] = range(),
      middle = (from + to) / 2,
      half = ((to - from) / 2) * factor;
    show(middle - half, middle + half);
  };
  const move = (share) => {
    const [from, to] = range(),
      step = (to - from) * share;
    show(from + step, to + step);
  };
  const key = picture.bars.filter((one) => one[3] === "window");
  const buttons = [
    ["−", "Zoom out", () => zoom(2)],
    ["+", "Zoom in", () => zoom(0.5)],
    ["←", "Earlier", () => move(-0.3)],
    ["→", "Later", () => move(0.3)],
    ["Whole", "Show all of it", () => show(...widened(picture.span))],
  ];
  if (key.length)
    buttons.push([
      "Window",
      "Zoom to what was due",
      () => {
        const verdicts = picture.marks
          .filter((mark) => mark[2].endsWith("on time"))
          .map((mark) => mark[1]);
        const from = Math.min(...key.map((one) => one[1]), ...verdicts),
          to = Math.max(...key.map((one) => one[2]), ...verdicts),
          room = Math.max(5, (to - from) * 0.15);
        show(from - room, to + room);
      },
    ]);
  for (const [label, title, action] of buttons) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: label, title, onclick: action });
    button.setAttribute("aria-label", title);
    bar.append(button);
  }
  const hint = document.createElement("span");
  hint.className = "hint";
  hint.textContent = "drag to pan, scroll to zoom, hover for details";
  bar.append(hint);
  return bar;
}

async function listEvents(details) {
  const { events } = await data(details.dataset.events);
  const table = document.createElement("table");
  table.tabIndex = 0;
  const head = table.createTHead().insertRow();
  for (const title of ["ms", "node", "kind", "what"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const [at, ...rest] of events) {
    const row = body.insertRow();
    for (const value of [at.toFixed(3), ...rest]) row.insertCell().textContent = value;
  }
  details.append(table);
}

// -- the page -----------------------------------------------------------------

const once = (element, act) => {
  if (!element.dataset.begun) {
    element.dataset.begun = "yes";
    act(element).catch((problem) => {
      element.append(` Cannot be shown: ${problem}`);
      console.error(problem);
    });
  }
};

for (const scenario of find(".scenario"))
  scenario.addEventListener("toggle", () => {
    if (scenario.open) for (const place of find(".picture", scenario)) once(place, draw);
  });
for (const details of find(".events"))
  details.addEventListener("toggle", () => {
    if (details.open) once(details, listEvents);
  });

function filter() {
  const words = document.getElementById("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(find("input[name=outcome]:checked").map((box) => box.value));
  const differing = document.getElementById("differing")?.checked;
  const all = find(".scenario");
  for (const scenario of all) {
    const outcomes = scenario.dataset.outcomes.split(" ");
    const fits =
      words.every((word) => scenario.dataset.name.includes(word)) &&
      outcomes.some((outcome) => wanted.has(outcome) || outcome === "missing");
    scenario.hidden = !fits || (differing && new Set(outcomes).size === 1);
  }
  document.getElementById("shown").textContent =
    `${all.filter((scenario) => !scenario.hidden).length} of ${all.length} shown`;
}
document.getElementById("filter").addEventListener("input", filter);
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());

function dress(theme) {
  root.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-pressed", String(theme === "dark"));
  for (const place of find(".picture[data-drawn]")) {
    const chart = place.querySelector("[role=img]");
    data(place.dataset.picture).then((picture) =>
      window.Plotly.react(chart, traces(picture), {
        ...layout(picture),
        xaxis: { ...layout(picture).xaxis, range: chart.layout.xaxis.range },
      }),
    );
  }
}
document
  .getElementById("theme")
  .addEventListener("click", () => dress(root.dataset.theme === "dark" ? "light" : "dark"));
dress(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
if (location.hash.startsWith("#scenario="))
  find(".scenario")
    .filter((scenario) =>
      scenario.dataset.name.includes(decodeURIComponent(location.hash.slice(10)).toLowerCase()),
    )
    .slice(0, 1)
    .forEach((scenario) => {
      scenario.open = true;
    });
