// An answer as a person sees it: a table with labels, a chart, a graph, or the bytes.
import { forceCenter, forceLink, forceManyBody, forceSimulation } from "d3-force";

/** Rows and nodes that are drawn; the raw view and the downloads always hold everything. */
const MOST_ROWS = 1000;
const MOST_BARS = 40;
const MOST_NODES = 80;
const SVG = "http://www.w3.org/2000/svg";

/** Make an element; children may be texts. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

/** Read an answer: bindings, a boolean, or triples, each as columns and rows of terms. */
export function read(type, body) {
  if (type.includes("json")) {
    const { head, results, boolean } = JSON.parse(body);
    if (boolean !== undefined) return { kind: "boolean", columns: [], rows: [], boolean };
    const rows = results.bindings.map((binding) => head.vars.map((name) => binding[name] ?? null));
    return { kind: "bindings", columns: head.vars, rows };
  }
  const lines = body.split("\n").filter((line) => line.trim());
  return { kind: "triples", columns: ["s", "p", "o"], rows: lines.map(triple) };
}

function triple(line) {
  const [, s, p, o] = line.match(/^(\S+) (\S+) (.*) \.$/);
  return [s, p, o].map(term);
}

function term(written) {
  if (written[0] === "<") return { type: "uri", value: unescaped(written.slice(1, -1)) };
  if (written[0] === "_") return { type: "bnode", value: written.slice(2) };
  const [, text, lang, datatype] = written.match(/^"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<(.*)>)?$/);
  return { type: "literal", value: unescaped(text), "xml:lang": lang, datatype };
}

function unescaped(text) {
  const single = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, four, eight, one) =>
    four || eight ? String.fromCodePoint(parseInt(four || eight, 16)) : (single[one] ?? one),
  );
}

/** The IRIs of our own that an answer holds. */
export function things({ rows }, base) {
  const found = rows.slice(0, MOST_ROWS).flat().filter((one) => one?.type === "uri" && one.value.startsWith(base));
  return [...new Set(found.map(({ value }) => value))];
}

/** The views that fit an answer, by name; each draws itself into an element. */
export function views(answer, body, page) {
  const fitting = {};
  if (answer.kind !== "boolean") fitting.table = () => table(answer, page);
  if (isChart(answer)) fitting.chart = () => chart(answer, page);
  if (answer.kind === "triples" && answer.rows.length) fitting.graph = () => graph(answer, page);
  fitting.raw = () => element("pre", { tabindex: "0" }, body);
  return fitting;
}

function table({ columns, rows }, page) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.slice(0, MOST_ROWS).map((row) => element("tr", {}, ...row.map((one) => element("td", {}, ...cell(one, page)))));
  const made = element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": page.words.answer },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)),
  );
  if (rows.length <= MOST_ROWS) return made;
  const cut = page.words.firstRows.replace("{}", MOST_ROWS).replace("{}", rows.length);
  return element("div", {}, element("p", {}, cut), made);
}

function cell(one, page) {
  if (!one) return [];
  if (one.type === "bnode") return [`_:${one.value}`];
  if (one.type === "uri") return [link(one.value, page)];
  const lang = one["xml:lang"];
  return lang ? [element("span", { lang }, one.value), " ", element("small", {}, lang)] : [one.value];
}

/** A link: things of ours open in this site, and show their label. */
function link(iri, page) {
  const own = iri.startsWith(page.base);
  const href = own ? page.root + iri.slice(page.base.length) : iri;
  const text = page.labels.get(iri) ?? short(iri, page);
  return /^https?:/.test(iri) ? element("a", { href, title: iri }, text) : document.createTextNode(text);
}

function short(iri, page) {
  const [prefix, namespace] = Object.entries(page.prefixes).find(([, one]) => one && iri.startsWith(one) && !/[/#]/.test(iri.slice(one.length))) ?? [];
  return namespace ? `${prefix}:${iri.slice(namespace.length)}` : iri;
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** Two columns of which the second holds numbers. */
function isChart({ kind, columns, rows }) {
  return kind === "bindings" && columns.length === 2 && rows.length > 1 && rows.every(([, two]) => two && NUMBER.test(two.value));
}

function chart({ columns, rows }, page) {
  const shown = rows.slice(0, MOST_BARS);
  const most = Math.max(...shown.map(([, two]) => Number(two.value)), 1);
  const height = shown.length * 24;
  const bars = shown.map(([one, two], at) => {
    const name = one ? (page.labels.get(one.value) ?? (one.type === "uri" ? short(one.value, page) : one.value)) : "";
    const width = (Math.max(Number(two.value), 0) / most) * 380;
    return drawn(
      "g",
      { transform: `translate(0 ${at * 24})` },
      drawn("text", { x: 230, y: 16, "text-anchor": "end" }, name.length > 32 ? `${name.slice(0, 31)}…` : name),
      drawn("rect", { x: 240, y: 3, width, height: 18 }),
      drawn("text", { x: 246 + width, y: 16 }, two.value),
    );
  });
  const label = `${columns[1]} / ${columns[0]}`;
  return element("div", { class: "scroll", tabindex: "0" }, drawn("svg", { class: "chart", role: "img", "aria-label": label, viewBox: `0 0 720 ${height}`, width: 720, height }, ...bars));
}

function graph({ rows }, page) {
  const edges = rows.filter(([, p, o]) => o.type !== "literal" && !p.value.endsWith("#type"));
  const degree = new Map();
  edges.forEach(([s, , o]) => [s, o].forEach(({ value }) => degree.set(value, (degree.get(value) ?? 0) + 1)));
  const kept = [...degree].sort(([, a], [, b]) => b - a).slice(0, MOST_NODES);
  const nodes = kept.map(([id]) => ({ id }));
  const ids = new Set(nodes.map(({ id }) => id));
  const links = edges.filter(([s, , o]) => ids.has(s.value) && ids.has(o.value)).map(([s, p, o]) => ({ source: s.value, target: o.value, name: short(p.value, page) }));
  forceSimulation(nodes)
    .force("link", forceLink(links).id(({ id }) => id).distance(90))
    .force("charge", forceManyBody().strength(-220))
    .force("center", forceCenter(0, 0))
    .stop()
    .tick(250);
  const xs = nodes.map(({ x }) => x);
  const ys = nodes.map(({ y }) => y);
  const box = [Math.min(...xs) - 60, Math.min(...ys) - 30, Math.max(...xs) - Math.min(...xs) + 200, Math.max(...ys) - Math.min(...ys) + 60];
  const lines = links.map(({ source, target, name }) => drawn("line", { x1: source.x, y1: source.y, x2: target.x, y2: target.y }, drawn("title", {}, name)));
  const dots = nodes.map(({ id, x, y }) => {
    const name = page.labels.get(id) ?? short(id, page);
    return drawn("g", { transform: `translate(${x} ${y})` }, drawn("circle", { r: 6 }), drawn("text", { x: 9, y: 4 }, name.length > 28 ? `${name.slice(0, 27)}…` : name));
  });
  const note = degree.size > MOST_NODES ? page.words.firstNodes.replace("{}", MOST_NODES).replace("{}", degree.size) : "";
  return element("div", {}, element("p", {}, note), element("div", { class: "scroll", tabindex: "0" }, drawn("svg", { class: "graph", role: "img", "aria-label": page.words.graph, viewBox: box.join(" ") }, ...lines, ...dots)));
}
