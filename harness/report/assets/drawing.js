// biome-ignore-all lint/correctness/noUnusedVariables: the files that follow this one in the page draw with it
"use strict";
// What pictures are made of: elements, shapes, colours, and the numbers of an axis.
// It needs no library: what is drawn are a few shapes, and one for this would be a hundred times as large.

const SVG = "http://www.w3.org/2000/svg";

const NARROW = 600; // a phone: names stand above their rows

const SERVERS = ["#0f94c8", "#c97800", "#4f9126", "#9467bd", "#8c564b", "#0f8b7f", "#86871a"];
const SHAPES = {
  line: (x, y) => `M${x} ${y - 6}v12`,
  cross: (x, y) => `M${x - 4} ${y - 4}l8 8m0-8l-8 8`,
  triangle: (x, y) => `M${x} ${y - 5}l5 9h-10z`,
  diamond: (x, y) => `M${x} ${y - 7}l6 7l-6 7l-6-7z`,
  circle: (x, y) => `M${x - 3.2} ${y}a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z`,
};
const STROKED = new Set(["line", "cross"]);

function svg(name, attributes = {}, text = "", ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

function html(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const milliseconds = (value) => `${value.toFixed(Math.abs(value) < 100 ? 3 : 1)} ms`;

function grouped(rows, index) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row[index])) groups.set(row[index], []);
    groups.get(row[index]).push(row);
  }
  return groups;
}

function ticks(from, to, count) {
  const rough = (to - from) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough);
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step)
    found.push(Math.round(at / step) * step + 0);
  return found;
}
