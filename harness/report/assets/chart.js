"use strict";
// Draws a scenario's picture: rows of bars and marks on one axis of time, which can be moved and zoomed.

const BARS = {
  MASTER: ["#2468b8", "master"],
  BACKUP: ["#9fc3ee", "backup"],
  FAULT: ["#e0a458", "fault state"],
  off: ["#6b7280", "off or ended"],
  VIP: ["#7b5cc4", "holds the VIP"],
  pool: ["#2e9e6b", "in the pool"],
  drained: ["#b9c96a", "weight 0"],
  serves: ["#8fb8a4", "httpd runs"],
  outage: ["#e5262b", "outage"],
  window: ["#d9a400", "when it is due"],
};
const NAMED = new Set(["MASTER", "BACKUP", "FAULT", "off", "outage"]);
const DARK_ON = new Set(["BACKUP", "FAULT"]);
const MARKS = {
  advertisement: ["var(--text)", "line"],
  resignation: ["#e5262b", "cross"],
  "gratuitous ARP": ["#e45fae", "triangle"],
  "failed request": ["#e5262b", "cross"],
  "on time": ["#18a05e", "diamond"],
  "not on time": ["#e5262b", "diamond"],
  missed: ["#e5262b", "diamond"],
};
const LABELS = 190; // the width of the rows' names, where there is room for them beside the rows
const AXIS = 34;
const ROW = 26; // the height of a row
const PLOT = 70; // and of one that has a plot

// biome-ignore lint/correctness/noUnusedVariables: page.js, which follows it in the page, draws with it
class Chart {
  // `place` is an empty element; `told(ms)` hears which instant somebody has chosen.
  constructor(place, picture, told) {
    this.picture = picture;
    this.told = told;
    this.range = [...picture.view];
    this.instant = null;
    this.plots = picture.plots.map((plot) => new Plot(this, plot));
    this.root = svg("svg", { role: "img", tabindex: "0", "aria-label": described(picture) });
    this.tip = html("div", { className: "tip", hidden: true });
    this.frame = html("div", { className: "chart" }, this.root, this.tip);
    place.replaceChildren(this.tools(), this.frame, this.legend());
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.frame);
  }

  // -- where things are

  measure() {
    this.width = Math.max(280, this.frame.clientWidth);
    this.narrow = this.width < NARROW;
    this.left = this.narrow ? 4 : LABELS;
    this.row = this.narrow ? 38 : ROW;
    this.faults = this.placedFaults();
    this.top = 8 + 18 * Math.max(1, ...this.faults.map((fault) => fault.line + 1));
    const high = new Set(this.plots.flatMap((plot) => [plot.latency, plot.rate]));
    const more = (row) => (high.has(row) ? PLOT - ROW : 0);
    this.tops = [this.top];
    for (const row of this.picture.rows.keys())
      this.tops.push(this.tops[row] + this.row + more(row));
    this.height = this.tops.at(-1) + AXIS;
  }

  x(at) {
    const [from, to] = this.range;
    return this.left + ((at - from) / (to - from)) * (this.width - this.left - 8);
  }

  at(x) {
    const [from, to] = this.range;
    return from + ((x - this.left) / (this.width - this.left - 8)) * (to - from);
  }

  y(row) {
    return this.tops[row] + (this.narrow ? 26 : 13);
  }

  placedFaults() {
    // Names of faults that would lie on each other get lines of their own.
    const ends = [];
    return this.picture.spans.map(([from, to, node, name]) => {
      const text = `${name} on ${node}`;
      const start = Math.max(this.left, Math.min(this.x(from), this.width - 8 - text.length * 7));
      let line = ends.findIndex((end) => end < start);
      if (line < 0) line = ends.length;
      ends[line] = start + text.length * 7;
      return { from, to, node, text, start, line: Math.min(line, 3) };
    });
  }

  // -- drawing

  draw() {
    this.measure();
    const { root, width, height } = this;
    root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    root.setAttribute("height", height);
    root.replaceChildren();
    const clip = svg("clipPath", { id: `clip-${this.frame.parentElement.dataset.picture}` });
    clip.append(svg("rect", { x: this.left, y: 0, width: width - this.left - 4, height }));
    root.append(clip);
    this.plot = svg("g", { "clip-path": `url(#${clip.id})` });
    this.drawAxis();
    this.drawFaults();
    this.drawRows();
    root.append(this.plot);
    this.names = [];
    for (const bar of this.picture.bars) this.drawBar(bar);
    this.drawMarks();
    this.plot.append(...this.names); // over the marks, which would cross them out
    for (const plot of this.plots) plot.draw();
    this.drawInstant();
    this.frame.parentElement.dataset.drawn = "yes";
  }

  drawAxis() {
    const bottom = this.height - AXIS;
    for (const at of ticks(...this.range, (this.width - this.left) / 95)) {
      const x = this.x(at);
      this.root.append(
        svg("line", {
          x1: x,
          x2: x,
          y1: this.top - 4,
          y2: bottom,
          class: at === 0 ? "zero" : "grid",
        }),
      );
      const anchor = x > this.width - 30 ? "end" : x < this.left + 20 ? "start" : "middle";
      this.root.append(
        svg(
          "text",
          { x, y: bottom + 15, class: "tick", "text-anchor": anchor },
          at.toLocaleString("en", { maximumFractionDigits: 3 }),
        ),
      );
    }
    const name = `milliseconds after ${this.picture.spans.length ? "the fault" : "the beginning"}`;
    const middle = (this.left + this.width) / 2;
    this.root.append(
      svg("text", { x: middle, y: bottom + 30, class: "tick", "text-anchor": "middle" }, name),
    );
  }

  drawFaults() {
    for (const { from, to, node, text, start, line } of this.faults) {
      const x = this.x(from);
      const size = { x, width: Math.max(1, this.x(to) - x) };
      this.plot.append(
        svg("rect", {
          ...size,
          y: this.top - 4,
          height: this.height - AXIS - this.top + 4,
          class: "fault",
        }),
      );
      const rows = this.picture.rows.flatMap((row, number) => (row[0] === node ? [number] : []));
      if (rows.length) {
        const y = this.tops[rows[0]];
        this.plot.append(
          svg("rect", { ...size, y, height: this.tops[rows.at(-1) + 1] - y, class: "fault" }),
        );
      }
      this.plot.append(svg("text", { x: start + 3, y: 16 + 18 * line, class: "fault-name" }, text));
    }
  }

  drawRows() {
    this.picture.rows.forEach(([node, label], number) => {
      const first = !number || node !== this.picture.rows[number - 1][0];
      const top = this.tops[number];
      if (first && number)
        this.root.append(svg("line", { x1: 0, x2: this.width, y1: top, y2: top, class: "grid" }));
      const y = this.narrow ? top + 13 : top + 17;
      const text = svg("text", { x: 4, y, class: "row" });
      if (first || this.narrow) text.append(svg("tspan", { class: "node" }, `${node} `));
      text.append(
        svg("tspan", {}, label.length > 30 && !this.narrow ? `${label.slice(0, 29)}…` : label),
      );
      text.append(svg("title", {}, `${node} ${label}`));
      this.root.append(text);
    });
  }

  drawBar([row, from, to, kind, text]) {
    const [color] = BARS[kind] ?? ["#888888"];
    const left = Math.max(this.left, this.x(from));
    const right = Math.min(this.width - 4, this.x(to));
    if (right <= this.left || left >= this.width - 4) return;
    const wide = Math.max(1.5, right - left);
    const height = kind === "outage" ? 8 : 16;
    this.plot.append(
      svg("rect", {
        x: left,
        y: this.y(row) - height / 2,
        width: wide,
        height,
        fill: color,
        class: `bar ${kind}`,
      }),
    );
    const label =
      kind === "outage" ? text.replace("no request was answered for ", "outage ") : kind;
    if (NAMED.has(kind) && wide > 7 * label.length + 8 && kind !== "outage") {
      const look = { class: DARK_ON.has(kind) ? "on dark-on" : "on", stroke: color };
      this.names.push(svg("text", { x: left + 5, y: this.y(row) + 4, ...look }, label));
    } else if (kind === "outage" && wide > 7 * label.length + 8) {
      const y = this.y(row) - 6;
      this.plot.append(
        svg(
          "text",
          { x: left + wide / 2, y, class: "outage-name", "text-anchor": "middle" },
          label,
        ),
      );
    }
  }

  style(kind) {
    if (MARKS[kind]) return MARKS[kind];
    const servers = [...grouped(this.picture.marks, 2).keys()]
      .filter((each) => each.startsWith("answered by "))
      .sort();
    return [SERVERS[Math.max(0, servers.indexOf(kind)) % SERVERS.length], "circle"];
  }

  drawMarks() {
    for (const [kind, marks] of grouped(this.picture.marks, 2)) {
      const [color, shape] = this.style(kind);
      const [from, to] = this.range;
      const seen = marks.filter(([, at]) => at >= from && at <= to);
      const path = seen
        .map(([row, at]) => SHAPES[shape](this.x(at).toFixed(1), this.y(row)))
        .join("");
      const paint = STROKED.has(shape)
        ? { stroke: color, "stroke-width": 2, fill: "none" }
        : { fill: color };
      this.plot.append(svg("path", { d: path, ...paint, class: "marks", "data-kind": kind }));
    }
  }

  drawInstant() {
    if (this.instant === null) return;
    const x = this.x(this.instant);
    this.plot.append(
      svg("line", { x1: x, x2: x, y1: this.top - 4, y2: this.height - AXIS, class: "instant" }),
    );
  }

  legend() {
    const list = html("ul", { className: "legend" });
    list.setAttribute("aria-hidden", "true");
    for (const kind of grouped(this.picture.bars, 3).keys()) {
      const swatch = html("i", { className: kind });
      swatch.style.background = (BARS[kind] ?? ["#888888"])[0];
      list.append(html("li", {}, swatch, (BARS[kind] ?? [0, kind])[1]));
    }
    for (const kind of grouped(this.picture.marks, 2).keys()) {
      const [color, shape] = this.style(kind);
      const icon = svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14" });
      const paint = STROKED.has(shape)
        ? { stroke: color, "stroke-width": 2, fill: "none" }
        : { fill: color };
      icon.append(svg("path", { d: SHAPES[shape](0, 0), ...paint }));
      list.append(html("li", {}, icon, kind));
    }
    return list;
  }

  // -- moving

  show(from, to) {
    if (!(to > from)) return;
    this.range = [from, to];
    this.draw();
  }

  zoom(factor, around) {
    const [from, to] = this.range;
    const middle = around ?? (from + to) / 2;
    this.show(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }

  move(share) {
    const [from, to] = this.range;
    this.show(from + (to - from) * share, to + (to - from) * share);
  }

  whole() {
    const [from, to] = this.picture.span;
    const room = Math.max(1, (to - from) * 0.02);
    this.show(from - room, to + room);
  }

  choose(at) {
    this.instant = at;
    const [from, to] = this.range;
    if (at < from || at > to) this.move((at - from) / (to - from) - 0.5);
    else this.draw();
    this.told(at);
  }

  tools() {
    const bar = html("div", { className: "tools" });
    const buttons = [
      ["−", "Zoom out", () => this.zoom(2)],
      ["+", "Zoom in", () => this.zoom(0.5)],
      ["←", "Earlier", () => this.move(-0.3)],
      ["→", "Later", () => this.move(0.3)],
      ["Whole", "Show all of it", () => this.whole()],
    ];
    if (this.picture.bars.some((each) => each[3] === "window")) {
      buttons.push(["Window", "Zoom to what was due", () => this.show(...this.picture.view)]);
    }
    for (const [label, title, action] of buttons) {
      const button = html("button", { type: "button", textContent: label, title, onclick: action });
      button.setAttribute("aria-label", title);
      bar.append(button);
    }
    bar.append(
      html("span", {
        className: "hint",
        textContent: "drag to pan, Ctrl and wheel to zoom, click for the packets",
      }),
    );
    return bar;
  }

  listen() {
    let drag = null;
    const { root } = this;
    const x = (event) => event.clientX - root.getBoundingClientRect().left;
    root.addEventListener("pointerdown", (event) => {
      drag = { x: x(event), range: this.range, moved: false };
    });
    root.addEventListener("pointermove", (event) => {
      if (drag === null || !event.buttons) {
        this.hover(event);
        return;
      }
      const moved = x(event) - drag.x;
      if (Math.abs(moved) > 3) drag.moved = true;
      if (drag.moved) {
        const [from, to] = drag.range;
        const shift = (moved / (this.width - this.left - 8)) * (to - from);
        this.show(from - shift, to - shift);
      }
    });
    root.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved && x(event) > this.left)
        this.choose(this.nearest(event)?.[1] ?? this.at(x(event)));
      drag = null;
    });
    root.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
    root.addEventListener("dblclick", () => this.whole());
    root.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.at(x(event)));
      },
      { passive: false },
    );
    const keys = {
      ArrowLeft: () => this.move(-0.1),
      ArrowRight: () => this.move(0.1),
      "+": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      Home: () => this.whole(),
    };
    root.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  // The mark or the bar at the pointer: [distance, at, text].
  nearest(event) {
    const box = this.root.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let found = null;
    for (const [row, at, , text] of this.picture.marks) {
      const distance = Math.hypot(this.x(at) - px, this.y(row) - py);
      if (distance < 11 && (!found || distance < found[0]))
        found = [distance, at, `${milliseconds(at)}\n${text}`];
    }
    if (found) return found;
    for (const plot of this.plots) {
      const near = plot.nearest(px, py);
      if (near) return near;
    }
    const at = this.at(px);
    const bar = this.picture.bars.findLast(
      ([row, from, to]) => Math.abs(this.y(row) - py) < 9 && at >= from && at <= to,
    );
    return bar ? [0, at, `${bar[4]}\n${milliseconds(bar[1])} to ${milliseconds(bar[2])}`] : null;
  }

  hover(event) {
    const found = this.nearest(event);
    this.tip.hidden = !found;
    if (!found) return;
    const box = this.root.getBoundingClientRect();
    this.tip.textContent = found[2];
    const x = event.clientX - box.left;
    this.tip.style.left = `${Math.max(0, Math.min(x + 12, this.width - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${event.clientY - box.top + 14}px`;
  }
}

function described(picture) {
  const faults = picture.spans.map(
    ([from, to, node, name]) =>
      `${name} on ${node} from ${milliseconds(from)} to ${milliseconds(to)}.`,
  );
  const outages = picture.bars
    .filter((bar) => bar[3] === "outage")
    .map((bar) => `${picture.rows[bar[0]][0]}: ${bar[4]}.`);
  const verdicts = picture.marks.filter((mark) =>
    ["on time", "not on time", "missed"].includes(mark[2]),
  );
  const told = verdicts.map((mark) => `${picture.rows[mark[0]][0]} ${mark[3]}.`);
  const measured = picture.plots.map((plot) => summed(picture, plot));
  const last = "All events are in the table below.";
  return ["Timeline.", ...faults, ...told, ...outages, ...measured, last].join(" ");
}
