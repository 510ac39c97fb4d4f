"use strict";
// The packets between the machines around an instant, as a ladder: a line down for each machine, an arrow a packet.

const RUNGS = 24;
const RUNG = 34;
const SAID = 6.2; // the width of a letter, about
const CHOICES = [
  ["all packets", () => true],
  [
    "VRRP and ARP",
    (protocol) => protocol === "vrrp" || protocol === "arp" || protocol === "icmpv6",
  ],
  ["TCP and UDP", (protocol) => protocol === "tcp" || protocol === "udp"],
];
const HEADS = 24; // pixels: how high the row of the machines' names is
const ABOVE = 10; // pixels above the first packet
const FILTERS = ["", "(vrrp || arp || icmpv6)", "(tcp || udp)"];

// biome-ignore lint/correctness/noUnusedVariables: page.js, which follows it in the page, draws with it
class Ladder {
  // `place` is where it is drawn; `data` has nodes, rungs ([ms, node, receivers, protocol, text]), epoch, captured.
  constructor(place, data, at) {
    this.data = data;
    this.all = [...data.rungs, ...struck(data.spans)].sort((one, other) => one[0] - other[0]);
    this.choice = 0;
    this.frame = html("div", { className: "wide rungs", tabIndex: 0 });
    this.filter = html("input", { readOnly: true, className: "display-filter" });
    this.filter.setAttribute("aria-label", "Display filter for Wireshark");
    this.range = html("span", { className: "hint" });
    place.append(this.tools(), this.frame);
    this.show(at);
  }

  tools() {
    const step = (by) => () => this.showFrom(this.first + by);
    const select = html("select", { onchange: () => this.choose(select.selectedIndex) });
    select.setAttribute("aria-label", "Which packets");
    for (const [name] of CHOICES) select.append(html("option", { textContent: name }));
    const copy = html("button", {
      type: "button",
      textContent: "Copy filter",
      onclick: () => this.copy(copy),
    });
    const buttons = [
      ["←", "Earlier packets", step(-RUNGS / 2)],
      ["→", "Later packets", step(RUNGS / 2)],
    ].map(([label, title, onclick]) => {
      const button = html("button", { type: "button", textContent: label, title, onclick });
      button.setAttribute("aria-label", title);
      return button;
    });
    return html("div", { className: "tools" }, ...buttons, select, this.range, this.filter, copy);
  }

  choose(number) {
    this.choice = number;
    this.show(this.instant);
  }

  get rungs() {
    const [, wanted] = CHOICES[this.choice];
    return this.all.filter((rung) => rung[3] === "fault" || wanted(rung[3]));
  }

  show(at) {
    this.instant = at;
    const after = this.rungs.findIndex((rung) => rung[0] >= at);
    this.showFrom((after < 0 ? this.rungs.length : after) - RUNGS / 3);
  }

  showFrom(first) {
    const all = this.rungs;
    this.first = Math.max(0, Math.min(Math.round(first), all.length - RUNGS));
    const shown = all.slice(this.first, this.first + RUNGS);
    this.draw(shown);
    if (!shown.length) {
      this.range.textContent = "no packets";
      return;
    }
    const [from, to] = [shown[0][0], shown.at(-1)[0]];
    this.range.textContent = `${this.first + 1} to ${this.first + shown.length} of ${all.length} packets`;
    this.filter.value = this.displayFilter(from, to);
  }

  displayFilter(from, to) {
    // Wireshark's stamps are of the Unix epoch; a microsecond more at either end, for what rounding takes.
    const stamp = (at, more) => (this.data.epoch + at / 1000 + more).toFixed(6);
    const times = `frame.time_epoch >= ${stamp(from, -2e-6)} && frame.time_epoch <= ${stamp(to, 2e-6)}`;
    return FILTERS[this.choice] ? `${times} && ${FILTERS[this.choice]}` : times;
  }

  copy(button) {
    this.filter.select();
    document.execCommand("copy"); // also where a page that lies in a file has no clipboard
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy filter";
    }, 1500);
  }

  draw(shown) {
    const used = this.data.nodes.filter((node) =>
      shown.some((rung) => rung[1] === node || rung[2].includes(node)),
    );
    const room = Math.min(1300, this.frame.clientWidth || 900) - 18;
    this.narrow = room < NARROW;
    this.left = this.narrow ? 62 : 100; // of the times
    const wide = Math.max(this.narrow ? 58 : 130, (room - this.left) / Math.max(1, used.length));
    // On a phone what is said begins at the left edge, and may be longer than the ladder is wide.
    const said = Math.max(0, ...shown.map((rung) => SAID * (rung[4].length + 20)));
    const width = this.left + Math.max(wide * used.length, this.narrow ? said : 0);
    const height = ABOVE + RUNG * shown.length;
    const machines = picture(width, HEADS); // stays in view while the rest is scrolled
    machines.classList.add("machines");
    const root = picture(width, height);
    const x = (node) => this.left + wide * (used.indexOf(node) + 0.5);
    for (const node of used) {
      root.append(svg("line", { x1: x(node), x2: x(node), y1: 0, y2: height, class: "lifeline" }));
      machines.append(
        svg("text", { x: x(node), y: 16, class: "node", "text-anchor": "middle" }, node),
      );
    }
    shown.forEach((rung, number) => {
      root.append(this.rung(rung, ABOVE + RUNG * number, x, width));
    });
    this.frame.replaceChildren(machines, root, this.aloud(shown));
  }

  rung([at, node, receivers, protocol, text], y, x, width) {
    if (protocol === "fault") {
      const line = svg("line", { x1: 0, x2: width, y1: y + 20, y2: y + 20, class: "struck" });
      const name = svg("text", { x: this.left + 4, y: y + 14, class: "struck-name" }, text);
      return svg("g", {}, "", line, name);
    }
    const row = svg("g", { class: `rung ${protocol}` });
    row.append(
      svg(
        "title",
        {},
        `${milliseconds(at)}: ${node} to ${receivers.join(", ") || "nobody"}: ${text}`,
      ),
    );
    if (at === this.instant)
      row.append(svg("rect", { x: 0, y: y - 4, width, height: RUNG - 2, class: "chosen" }));
    row.append(
      svg(
        "text",
        { x: this.left - 8, y: y + 19, class: "tick", "text-anchor": "end" },
        at.toFixed(this.narrow ? 2 : 3),
      ),
    );
    const line = y + 20;
    const ends = receivers.map(x).filter((end) => Number.isFinite(end));
    const sender = x(node);
    const reach = ends.length ? ends : [sender + (sender > width - 80 ? -40 : 40)];
    const [from, to] = [Math.min(sender, ...reach), Math.max(sender, ...reach)];
    row.append(
      svg("line", {
        x1: from,
        x2: to,
        y1: line,
        y2: line,
        class: ends.length ? "arrow" : "arrow lost",
      }),
    );
    row.append(svg("circle", { cx: sender, cy: line, r: 3, class: "from" }));
    for (const end of ends) {
      const back = end > sender ? -7 : 7;
      row.append(svg("path", { d: `M${end} ${line}l${back}-4v8z`, class: "head" }));
    }
    if (!ends.length) row.append(svg("path", { d: SHAPES.cross(reach[0], line), class: "lost" }));
    const said = ends.length ? text : `${text}: nobody received it`;
    const right = !this.narrow && (from + to) / 2 > width * 0.6;
    const start = this.narrow ? this.left : Math.max(from, this.left + 4);
    const label = {
      x: right ? Math.min(to, width - 6) : start,
      y: y + 11,
      "text-anchor": right ? "end" : "start",
    };
    row.append(svg("text", { ...label, class: "said" }, said));
    return row;
  }

  // The same as a table, for whoever hears the page.
  aloud(shown) {
    const table = html("table", { className: "aloud" });
    const head = table.createTHead().insertRow();
    for (const title of ["ms", "from", "to", "packet"])
      head.append(html("th", { scope: "col", textContent: title }));
    const body = table.createTBody();
    for (const [at, node, receivers, , text] of shown) {
      const row = body.insertRow();
      for (const value of [at.toFixed(3), node, receivers.join(", ") || "nobody", text])
        row.insertCell().textContent = value;
    }
    return table;
  }
}

function picture(width, height) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
}

// A fault begins or ends: a line across the ladder.
function struck(spans) {
  return spans.flatMap(([from, to, node, name]) => [
    [from, node, [], "fault", `${name} on ${node}`],
    [to, node, [], "fault", `${name} on ${node} ends`],
  ]);
}
