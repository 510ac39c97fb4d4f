"use strict";
// All events of a scenario in a table that is narrowed down by machine, by kind and by words.

const MOST_EVENTS = 500;

// biome-ignore lint/correctness/noUnusedVariables: page.js, which follows it in the page, draws with it
class Events {
  constructor(place, data, chosen) {
    this.data = data;
    this.chosen = chosen;
    this.kinds = new Set();
    const machines = new Set([...data.nodes, ...data.events.map((event) => event[1])]);
    this.node = this.select("machine", "every machine", [...machines]);
    this.kind = this.select(
      "kind",
      "every kind",
      [...new Set(data.events.map((event) => event[2]))].sort(),
    );
    this.words = html("input", {
      type: "search",
      placeholder: "words",
      oninput: () => this.draw(),
    });
    this.words.setAttribute("aria-label", "Words of events");
    this.count = html("output", { className: "hint" });
    this.table = html("table", { tabIndex: 0 });
    const tools = html("div", { className: "tools" }, this.node, this.kind, this.words, this.count);
    place.append(tools, html("div", { className: "wide" }, this.table));
    this.draw();
  }

  select(name, all, values) {
    const select = html("select", { onchange: () => this.draw() });
    select.setAttribute("aria-label", `Events of which ${name}`);
    select.append(html("option", { value: "", textContent: all }));
    for (const value of values) select.append(html("option", { value, textContent: value }));
    return select;
  }

  fits([, node, kind, text, heard]) {
    if (this.node.value && node !== this.node.value && !heard.split(", ").includes(this.node.value))
      return false;
    if (this.kind.value && kind !== this.kind.value) return false;
    return `${node} ${kind} ${text}`.toLowerCase().includes(this.words.value.toLowerCase());
  }

  draw() {
    const found = this.data.events.filter((event) => this.fits(event));
    const shown = found.slice(0, MOST_EVENTS);
    const more = found.length > shown.length ? `, the first ${shown.length} shown` : "";
    this.count.textContent = `${found.length} of ${this.data.events.length}${more}`;
    this.table.replaceChildren();
    const head = this.table.createTHead().insertRow();
    for (const title of ["ms", "machine", "kind", "what"])
      head.append(html("th", { scope: "col", textContent: title }));
    const body = this.table.createTBody();
    for (const [at, node, kind, text, heard] of shown) {
      const row = body.insertRow();
      const time = html("button", {
        type: "button",
        textContent: at.toFixed(3),
        title: "Show this instant",
      });
      time.onclick = () => this.chosen(at);
      row.insertCell().append(time);
      for (const value of [node, kind, heard ? `${text}  → ${heard}` : text])
        row.insertCell().textContent = value;
    }
  }
}
