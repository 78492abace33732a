// The workbench: makes the plain form of the page into an editor with answers beside it.
import { element, read, things, views } from "./answer.js";
import { edit } from "./editor.js";
import { SNIPPETS } from "./snippets.js";
import { fill } from "./terms.js";

const ACCEPT = "application/sparql-results+json, application/n-triples;q=0.9, application/problem+json;q=0.8";

const page = JSON.parse(document.getElementById("workbench-data").textContent);
const form = document.getElementById("workbench");
const area = form.querySelector("textarea");
const status = document.getElementById("status");
const tabs = document.getElementById("tabs");
const panel = document.getElementById("panel");
const run = document.getElementById("run");
const stop = document.getElementById("stop");

page.labels = new Map();
page.terms = once(async () => {
  const answer = await fetch(page.termsUrl);
  return answer.ok ? answer.json() : [];
});

const host = element("div", { class: "editor" });
area.hidden = true;
area.before(host);
const shared = new URLSearchParams(location.hash.slice(1));
const editor = edit(host, { text: shared.get("query") ?? area.value, page, onRun: ask, onChange: () => (area.value = editor.text) });
let running = null;
let opening = null;

form.addEventListener("submit", (event) => {
  if (event.submitter?.name === "download") {
    area.value = editor.text;
    return;
  }
  event.preventDefault();
  ask();
});
run.addEventListener("click", ask);
stop.addEventListener("click", () => running?.abort());
document.getElementById("share").addEventListener("click", share);
document.getElementById("code").addEventListener("change", copyCode);
document.querySelectorAll("a[data-query]").forEach((one) =>
  one.addEventListener("click", (event) => {
    event.preventDefault();
    open(one.dataset.query);
  }),
);
document.querySelectorAll("[hidden][data-script]").forEach((one) => (one.hidden = false));
if (shared.has("query")) ask();
else open(page.first, area.value);

/** Ask the query on the screen; one that was stopped or refused never looks like an empty answer. */
async function ask() {
  running?.abort();
  const mine = (running = new AbortController());
  const query = editor.text;
  const begin = performance.now();
  show(page.words.running);
  stop.hidden = false;
  try {
    const reply = await fetch(page.endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/sparql-query", Accept: ACCEPT, "Accept-Language": page.lang },
      body: query,
      signal: mine.signal,
    });
    const body = await reply.text();
    const seconds = ((performance.now() - begin) / 1000).toFixed(2);
    if (mine !== running) return;
    if (!reply.ok) return refuse(JSON.parse(body));
    editor.mark("", 0, 0);
    const answer = read(reply.headers.get("Content-Type"), body);
    await name(answer);
    if (mine === running) present(answer, body, seconds, reply.headers);
  } catch (error) {
    if (mine === running) show(error.name === "AbortError" ? page.words.stopped : page.words.unreachable, "error");
  } finally {
    if (mine === running) stop.hidden = true;
  }
}

function show(text, kind = "") {
  status.textContent = text;
  status.className = kind;
  tabs.replaceChildren();
  panel.replaceChildren();
}

function refuse({ detail, hint, line, column }) {
  show([detail, hint].filter(Boolean).join(page.words.gap), "error");
  editor.mark(detail, line, column);
}

/** Get labels for the things of ours in an answer. */
async function name(answer) {
  const missing = things(answer, page.base).filter((iri) => !page.labels.has(iri));
  if (!missing.length) return;
  const list = missing.map((iri) => `<${iri}>`).join(" ");
  const reply = await fetch(page.endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/sparql-query", Accept: "application/sparql-results+json" },
    body: page.labelsQuery.replace("UNDEF", list),
  });
  if (!reply.ok) return;
  for (const { thing, label } of (await reply.json()).results.bindings) {
    if (label["xml:lang"] === page.lang || !page.labels.has(thing.value)) page.labels.set(thing.value, label.value);
  }
}

function present(answer, body, seconds, headers) {
  const { kind, rows, boolean } = answer;
  if (kind === "boolean") show(`${boolean ? page.words.yes : page.words.no} · ${page.words.seconds.replace("{}", seconds)}`);
  else {
    const hint = headers.get("Medbench-Hint");
    const empty = rows.length ? "" : page.words.gap + (hint ?? page.words.empty);
    const number = (kind === "triples" ? page.words.triples : page.words.rows).replace("{}", rows.length);
    show(`${number} · ${page.words.seconds.replace("{}", seconds)}${empty}`);
  }
  const fitting = views(answer, body, page);
  const names = Object.keys(fitting);
  const wanted = new URLSearchParams(location.hash.slice(1)).get("view");
  tabs.replaceChildren(
    ...names.map((one) => {
      const tab = element("button", { type: "button", role: "tab", id: `tab-${one}`, "aria-controls": "panel" }, page.words[one]);
      tab.addEventListener("click", () => choose(one));
      tab.addEventListener("keydown", ({ key }) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (step) choose(names.at((names.indexOf(one) + step) % names.length), true);
      });
      return tab;
    }),
  );
  function choose(one, focus = false) {
    names.forEach((other) => {
      const tab = document.getElementById(`tab-${other}`);
      tab.setAttribute("aria-selected", other === one);
      tab.tabIndex = other === one ? 0 : -1;
      if (focus && other === one) tab.focus();
    });
    panel.setAttribute("aria-labelledby", `tab-${one}`);
    panel.replaceChildren(fitting[one]());
    tabs.dataset.view = one;
  }
  choose(names.includes(wanted) ? wanted : names[0]);
}

/**
 * Put a question into the editor, with fields for what it leaves open, and ask it.
 *
 * All that it needs is loaded before anything changes; of several that were opened the last one counts.
 */
async function open(name, begun) {
  const mine = (opening = {});
  const { url, valuesUrl, parameters } = page.questions[name];
  const [text, values] = await Promise.all([begun ?? load(url), parameters.length ? load(valuesUrl) : "{}"]);
  if (mine !== opening) return;
  if (text === null || values === null) return show(page.words.unreachable, "error");
  editor.text = text;
  const known = JSON.parse(values);
  document.getElementById("fields").replaceChildren(...parameters.map((one) => field(one, known[one.name] ?? [])));
  ask();
}

/** The text at an address; null if it can't be had. */
async function load(url) {
  const reply = await fetch(url).catch(() => null);
  return reply?.ok ? reply.text() : null;
}

/** A field with the values that there are, in the order of a reader; it begins with the default. */
function field({ name, type, help, initial }, values) {
  const label = (one) => one[page.lang] ?? one.en;
  const options = values
    .sort((one, other) => label(one).localeCompare(label(other), page.lang))
    .map((one) => element("option", { value: one.value }, label(one)));
  const made = values.length
    ? element("select", { id: `field-${name}` }, element("option", { value: "" }, page.words.any), ...options)
    : element("input", { id: `field-${name}` });
  made.value = initial;
  const put = () => (editor.text = fill(editor.text, name, term(made.value, type)));
  if (initial) put();
  made.addEventListener("change", () => (put(), ask()));
  return element("p", {}, element("label", { for: made.id }, name, " ", element("small", {}, help)), made);
}

/** A value as SPARQL writes it. */
function term(value, type) {
  return value && { iri: `<${value}>`, integer: value, string: JSON.stringify(value) }[type];
}

/** A link that opens this query in this view; the query is in the fragment and isn't sent. */
async function share() {
  const hash = new URLSearchParams({ query: editor.text, view: tabs.dataset.view ?? "table" });
  history.replaceState(null, "", `#${hash}`);
  await copy(location.href);
}

async function copyCode({ target }) {
  const make = SNIPPETS[target.value];
  target.selectedIndex = 0;
  if (make) await copy(make(new URL(page.endpoint, location).href, editor.text));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = page.words.copied;
  } catch {
    panel.replaceChildren(element("pre", { tabindex: "0" }, text));
  }
}

function once(make) {
  let made;
  return () => (made ??= make());
}
