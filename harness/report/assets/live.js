"use strict";
// The page while its cluster lives: entries come and change as the server tells, and buttons say at the cluster's
// prompt what is to be done. All addresses are relative, for the page's own has the token in it.

const live = document.getElementById("live");
const pulse = document.getElementById("pulse");
const kept = ".ladder, .events, .text, .files, .raised, .rules";

function place(name, markup) {
  const fragment = document.createElement("template");
  fragment.innerHTML = markup;
  const fresh = fragment.content.querySelector(".scenario");
  const number = everything.findIndex((each) => each.dataset.name === name);
  const old = everything[number];
  if (old) {
    // What somebody has opened stays open.
    fresh.open = old.open;
    const before = find(kept, old);
    find(kept, fresh).forEach((details, at) => {
      if (before[at]?.className === details.className) details.open = before[at].open;
    });
    everything[number] = fresh;
    const rank = ranked.indexOf(old);
    ranked[rank] = fresh;
    written.set(fresh, written.get(old));
    fresh.dataset.order = old.dataset.order;
    old.replaceWith(fresh);
  } else {
    everything.push(fresh);
    written.set(fresh, ranked.length);
    fresh.dataset.order = ranked.push(fresh) - 1;
    list.append(fresh);
  }
  adopt(fresh);
  for (const details of find("details[open]", fresh)) details.dispatchEvent(new Event("toggle"));
}

const source = new EventSource(`events?since=${live.dataset.since}`);
source.addEventListener("scenario", (event) => {
  const { name, markup, summaries, nodes } = JSON.parse(event.data);
  place(name, markup);
  document.getElementById("summaries").innerHTML = summaries;
  offer(nodes);
  filter();
});
source.addEventListener("error", () => {
  source.close();
  pulse.textContent = "It has ended; report.html in its folder shows what was recorded.";
  for (const button of find("#do button")) button.disabled = true;
});

function offer(nodes) {
  const select = document.getElementById("node");
  if (!select || select.options.length === nodes.length) return;
  select.replaceChildren(...nodes.map((name) => html("option", { textContent: name })));
}

document.getElementById("do")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = {
    word: event.submitter.value,
    fault: document.getElementById("fault").value,
    node: document.getElementById("node").value,
  };
  const done = document.getElementById("done");
  const answer = await fetch("do", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch((problem) => ({ ok: false, text: () => String(problem) }));
  done.textContent = await answer.text();
});
