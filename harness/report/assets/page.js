"use strict";
// The list of scenarios: filtered, sorted, grouped; and what is drawn of one when it is opened, whose data lies packed
// in the page until then.

const find = (selector, within = document) => [...within.querySelectorAll(selector)];

async function unpack(id) {
  const text = document.getElementById(id).textContent;
  const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const loaded = new Map();
function data(number) {
  if (!loaded.has(number)) loaded.set(number, unpack(`data-${number}`).then(JSON.parse));
  return loaded.get(number);
}

// -- one scenario

const charts = new Map();
const ladders = new Map();

async function drawPicture(place) {
  const number = place.dataset.picture;
  const picture = await data(number);
  if (!picture.rows.length) {
    place.textContent = "No events to draw.";
    return;
  }
  charts.set(number, new Chart(place, picture, (at) => chosen(number, at)));
  const wanted = new URLSearchParams(location.hash.slice(1));
  const scenario = place.closest(".scenario");
  if (wanted.get("scenario") === scenario.dataset.name && wanted.has("at"))
    charts.get(number).choose(Number(wanted.get("at")));
}

// Somebody has chosen an instant: the packets around it are shown, and the address leads here again.
function chosen(number, at) {
  const details = document.querySelector(`.ladder[data-number="${number}"]`);
  if (ladders.has(number)) ladders.get(number).show(at);
  details.open = true;
  const { name } = details.closest(".scenario").dataset;
  history.replaceState(null, "", `#${new URLSearchParams({ scenario: name, at: at.toFixed(3) })}`);
}

async function drawLadder(details) {
  const { number } = details.dataset;
  const read = await data(number);
  if (!read.captured) {
    const why =
      "The capture was not kept, so these are the packets that the timeline tells of (--keep all keeps it).";
    details.append(html("p", { className: "hint", textContent: why }));
  }
  ladders.set(number, new Ladder(details, read, charts.get(number)?.instant ?? 0));
}

async function drawEvents(details) {
  const { number } = details.dataset;
  new Events(details, await data(number), (at) => charts.get(number)?.choose(at));
}

async function previewFiles(details) {
  const { files } = await data(details.dataset.number);
  const place = html("pre", { className: "preview", hidden: true, tabIndex: 0 });
  details.append(place);
  for (const link of find("a[data-path]", details)) {
    const text = files[link.dataset.path];
    if (text === undefined) continue;
    const show = () => {
      const again = place.dataset.path === link.dataset.path && !place.hidden;
      Object.assign(place, { hidden: again, textContent: text || "(empty)" });
      place.dataset.path = link.dataset.path;
    };
    const button = html("button", {
      type: "button",
      className: "look",
      textContent: "look",
      onclick: show,
    });
    button.setAttribute("aria-label", `Look at ${link.dataset.path} here`);
    link.after(button);
  }
}

function once(element, act) {
  if (element.dataset.begun) return;
  element.dataset.begun = "yes";
  act(element).catch((problem) => {
    element.append(` Cannot be shown: ${problem}`);
    console.error(problem);
  });
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      once(entry.target, drawPicture);
    }
  },
  { rootMargin: "600px" },
);

// Have an entry of the list draw what is in it when it is opened, and the address name it.
function adopt(scenario) {
  const opened = () => {
    if (!scenario.open) return;
    for (const place of find(".picture", scenario)) seen.observe(place);
  };
  scenario.addEventListener("toggle", opened);
  opened();
  for (const [selector, act] of [
    [".events", drawEvents],
    [".ladder", drawLadder],
    [".files", previewFiles],
  ]) {
    for (const details of find(selector, scenario)) {
      details.addEventListener("toggle", () => {
        if (details.open) once(details, act);
      });
    }
  }
  scenario.querySelector("summary").addEventListener("click", () => {
    // It is about to be opened or closed: the address names what was opened last.
    const hash = scenario.open
      ? location.pathname
      : `#${new URLSearchParams({ scenario: scenario.dataset.name })}`;
    history.replaceState(null, "", hash);
  });
}

// -- the list

const list = document.getElementById("list");
const everything = find(".scenario");
everything.forEach(adopt);
const ranked = find(".scenario", list);
const written = new Map(ranked.map((scenario, number) => [scenario, number]));
const margin = (scenario) =>
  scenario.dataset.margin === "" ? Infinity : Number(scenario.dataset.margin);
const ORDERS = {
  outcome: (one, other) => written.get(one) - written.get(other),
  order: (one, other) => Number(one.dataset.order) - Number(other.dataset.order),
  lasted: (one, other) => Number(other.dataset.lasted) - Number(one.dataset.lasted),
  margin: (one, other) => margin(one) - margin(other),
};

function arrange() {
  const group = document.getElementById("group").value;
  const ordered = [...ranked].sort(ORDERS[document.getElementById("sort").value]);
  if (!group) {
    list.replaceChildren(...ordered);
    return;
  }
  const groups = new Map();
  for (const scenario of ordered) {
    const name = scenario.dataset[group];
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(scenario);
  }
  list.replaceChildren();
  for (const [name, members] of groups) {
    const amiss = members.filter(
      (each) => !/^(passed|skipped)( (passed|skipped))?$/.test(each.dataset.outcomes),
    ).length;
    const title = `${name}: ${members.length}${amiss ? `, ${amiss} not passed` : ""}`;
    const heading = html("h2", { className: "group", textContent: title });
    heading.dataset.group = name;
    list.append(heading, ...members);
  }
}

function filter() {
  const words = document.getElementById("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(find("input[name=outcome]:checked").map((box) => box.value));
  for (const scenario of everything) {
    const outcomes = scenario.dataset.outcomes.split(" ");
    const fits = words.every((word) => scenario.dataset.words.includes(word));
    scenario.hidden = !(
      fits && outcomes.some((outcome) => wanted.has(outcome) || outcome === "missing")
    );
  }
  for (const heading of find(".group")) {
    let next = heading.nextElementSibling;
    while (next?.hidden && next.matches(".scenario")) next = next.nextElementSibling;
    heading.hidden = !next?.matches(".scenario");
  }
  const shown = everything.filter((scenario) => !scenario.hidden).length;
  document.getElementById("shown").textContent = `${shown} of ${everything.length} shown`;
}

document.getElementById("filter").addEventListener("input", filter);
for (const select of find("#filter select")) {
  select.addEventListener("change", () => {
    arrange();
    filter();
  });
}
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());

// -- where the address leads

function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("scenario");
  if (!wanted) return;
  const scenario =
    everything.find((each) => each.dataset.name === wanted) ??
    everything.find((each) => each.dataset.name.toLowerCase().includes(wanted.toLowerCase()));
  if (!scenario) return;
  for (let outer = scenario; outer; outer = outer.parentElement?.closest("details"))
    outer.open = true;
  scenario.scrollIntoView();
}
addEventListener("hashchange", follow);

follow();
