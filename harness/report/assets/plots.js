"use strict";
// What a client under load measured, along the timeline: each request's latency, and how many requests a second came
// to what. Both rows are of a chart, whose axis of time they share.

const BIN = 9; // pixels that a bar of rates has at least
const LEAST = 5; // requests that it stands for at least
const SMALLEST = 0.001; // milliseconds: the axis of latencies has no zero

// biome-ignore lint/correctness/noUnusedVariables: chart.js, which follows it in the page, draws with it
class Plot {
  constructor(chart, { requests, latency, rate, took }) {
    this.chart = chart;
    this.latency = latency;
    this.rate = rate;
    // [ms, kind, text, latency in ms]
    this.requests = chart.picture.marks
      .filter((mark) => mark[0] === requests)
      .map(([, at, kind, text], number) => [at, kind, text, Math.max(SMALLEST, took[number])]);
    const latencies = this.requests.map((each) => each[3]);
    this.low = 10 ** Math.floor(Math.log10(least(latencies)));
    this.high = Math.max(10 ** Math.ceil(Math.log10(0.9 * most(latencies))), 10 * this.low);
    this.every = interval(this.requests.map((each) => each[0]));
  }

  draw() {
    this.bins = this.binned();
    this.ticks = [];
    this.drawLatencies();
    this.drawRates();
    this.chart.root.append(...this.ticks); // over all that is drawn
  }

  // -- where things are

  // Top and bottom of a row's plotting area.
  area(row) {
    return [this.chart.tops[row] + (this.chart.narrow ? 26 : 12), this.chart.tops[row + 1] - 6];
  }

  ofLatency(took) {
    const [top, bottom] = this.area(this.latency);
    return bottom - (Math.log(took / this.low) / Math.log(this.high / this.low)) * (bottom - top);
  }

  ofRate(value) {
    const [top, bottom] = this.area(this.rate);
    return bottom - (value / this.highest) * (bottom - top);
  }

  // -- drawing

  drawLatencies() {
    const { chart } = this;
    const decades = Math.round(Math.log10(this.high / this.low));
    const values = Array.from({ length: decades + 1 }, (_, power) => this.low * 10 ** power);
    values.forEach((value, number) => {
      const named = number % Math.ceil(decades / 3) === 0;
      this.line(this.ofLatency(value), named ? readable(value) : "");
    });
    for (const [kind, requests] of grouped(this.requests, 1)) {
      const [color, shape] = chart.style(kind);
      const path = this.seen(requests)
        .map(([at, , , took]) =>
          DOTS[shape](chart.x(at).toFixed(1), this.ofLatency(took).toFixed(1)),
        )
        .join("");
      const paint = STROKED.has(shape)
        ? { stroke: color, "stroke-width": 1.5, fill: "none" }
        : { fill: color };
      chart.plot.append(svg("path", { d: path, ...paint, class: "latency", "data-kind": kind }));
    }
  }

  seen(requests) {
    const [from, to] = this.chart.range;
    return requests.filter(([at]) => at >= from && at <= to);
  }

  drawRates() {
    const { chart } = this;
    this.highest = rounded(most(this.bins.map((bin) => bin.rate)));
    this.line(this.ofRate(0), "0");
    this.line(this.ofRate(this.highest), readable(this.highest));
    const [from, to] = chart.range;
    const kinds = [...grouped(this.requests, 1).keys()].sort(); // those that failed are on top
    for (const { start, end, count, rate, kinds: counts } of this.bins) {
      if (end < from || start > to) continue;
      const x = chart.x(start);
      let below = 0;
      for (const kind of kinds.filter((each) => counts.has(each))) {
        const share = (rate * counts.get(kind)) / count;
        const [y, bottom] = [this.ofRate(below + share), this.ofRate(below)];
        const width = Math.max(1, chart.x(end) - x - 1);
        const paint = { fill: chart.style(kind)[0], class: "rate", "data-kind": kind };
        chart.plot.append(svg("rect", { x, y, width, height: bottom - y, ...paint }));
        below += share;
      }
    }
  }

  // A line of the axis, with its number beside the plot, or at its right end where there is no room beside.
  line(y, text) {
    const { root, left, width, narrow } = this.chart;
    root.append(svg("line", { x1: left, x2: width - 4, y1: y, y2: y, class: "grid" }));
    const place = { x: narrow ? width - 6 : left - 6, y: y + 4, "text-anchor": "end" };
    if (text) this.ticks.push(svg("text", { ...place, class: "tick of-plot" }, text));
  }

  // Requests counted in bins of one width: whole multiples of the interval between two requests, so that a steady pace
  // has the same count in all of them. The first and the last one are as wide as what there is.
  binned() {
    const { chart } = this;
    const [from, to] = chart.range;
    const wide = ((to - from) * BIN) / (chart.width - chart.left);
    const width = this.every * nice(Math.max(LEAST, wide / this.every));
    const first = this.requests[0][0] - this.every / 2;
    const last = this.requests.at(-1)[0] + this.every / 2;
    const found = new Map();
    for (const [at, kind] of this.requests) {
      const number = Math.floor((at - first) / width);
      if (!found.has(number)) {
        const start = first + number * width;
        found.set(number, {
          start,
          end: Math.min(start + width, last),
          count: 0,
          kinds: new Map(),
        });
      }
      const bin = found.get(number);
      bin.count += 1;
      bin.kinds.set(kind, (bin.kinds.get(kind) ?? 0) + 1);
    }
    for (const bin of found.values()) {
      const covered = Math.max(bin.end - bin.start, Math.min(width, bin.count * this.every));
      bin.rate = (1000 * bin.count) / covered;
    }
    return [...found.values()];
  }

  // The request, or the bar of rates, at a place: [distance, at, text].
  nearest(px, py) {
    const { chart } = this;
    const [top, bottom] = this.area(this.rate);
    if (py >= top && py <= bottom) {
      const at = chart.at(px);
      const bin = this.bins.find(({ start, end }) => at >= start && at < end);
      return bin ? [0, at, told(bin)] : null;
    }
    let found = null;
    for (const [at, , text, took] of this.requests) {
      const distance = Math.hypot(chart.x(at) - px, this.ofLatency(took) - py);
      if (distance < 9 && (!found || distance < found[0]))
        found = [distance, at, `${milliseconds(at)}\n${text}`];
    }
    return found;
  }
}

const DOTS = {
  circle: (x, y) => `M${x} ${y}m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0z`,
  cross: (x, y) => `M${x} ${y}m-3-3l6 6m0-6l-6 6`,
};

const least = (values) => values.reduce((one, other) => Math.min(one, other));
const most = (values) => values.reduce((one, other) => Math.max(one, other));
const readable = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

// The next of 1, 2, 5, 10, 20, ...
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((times) => times * power >= value * 0.9999);
}

// The top of an axis: with little above what is highest.
function rounded(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return (Math.ceil((value * 0.9999) / (power / 2)) * power) / 2;
}

// What lies between two requests, for most of them.
function interval(instants) {
  const between = instants.slice(1).map((at, number) => at - instants[number]);
  between.sort((one, other) => one - other);
  return Math.max(SMALLEST, between[Math.floor(between.length / 2)]);
}

function told({ start, end, count, rate, kinds }) {
  const lines = [...kinds].sort().map(([kind, times]) => `${times} ${kind}`);
  const times = `${milliseconds(start)} to ${milliseconds(end)}`;
  return [`${times}: ${readable(rate)} requests a second`, ...(count ? lines : [])].join("\n");
}

// In words, for whoever hears the page.
// biome-ignore lint/correctness/noUnusedVariables: chart.js, which follows it in the page, tells it
function summed(picture, { requests, took }) {
  const kinds = picture.marks.filter((mark) => mark[0] === requests).map((mark) => mark[2]);
  const good = took.filter((_, number) => kinds[number] !== "failed request");
  const failed = took.length - good.length;
  const node = picture.rows[requests][0];
  const answered = good.length
    ? `, ${good.length} answered in ${milliseconds(least(good))} to ${milliseconds(most(good))}`
    : "";
  return `${node}: ${took.length} requests${answered}${failed ? `, ${failed} failed` : ""}.`;
}
