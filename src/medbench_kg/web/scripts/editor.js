// The editor: SPARQL with completion from the graph's own terms and a check of the terms used.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, snippetCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { forceLinting, linter, lintKeymap } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { declaration, declared, named, nearest, variables } from "./terms.js";

const KEYWORDS =
  "SELECT DISTINCT CONSTRUCT DESCRIBE ASK WHERE FILTER OPTIONAL UNION MINUS GRAPH VALUES BIND AS EXISTS NOT IN " +
  "ORDER BY GROUP HAVING LIMIT OFFSET COUNT SUM AVG MIN MAX SAMPLE GROUP_CONCAT STR LANG LANGMATCHES DATATYPE " +
  "BOUND IF COALESCE REGEX CONTAINS STRSTARTS LCASE UCASE CONCAT REPLACE PREFIX BASE FROM NAMED UNDEF";

/** Colours are the page's own: classes of the style sheet, in both schemes. */
const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, class: "tok-keyword" },
  { tag: [tags.string, tags.special(tags.string)], class: "tok-string" },
  { tag: tags.comment, class: "tok-comment" },
  { tag: [tags.variableName, tags.special(tags.variableName)], class: "tok-variable" },
  { tag: [tags.atom, tags.number], class: "tok-name" },
]);

/**
 * Put an editor into a shadow root of `host`: styles then go into a constructed sheet, which a strict
 * Content-Security-Policy lets pass.
 */
export function edit(host, { text, page, onRun, onChange }) {
  const root = host.attachShadow({ mode: "open" });
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = page.style;
  root.append(sheet);
  let refused = null;
  const lint = async ({ state }) => [...(await check(state.doc.toString(), page)), ...marks(state.doc, refused)];
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        bracketMatching(),
        closeBrackets(),
        StreamLanguage.define(sparql),
        syntaxHighlighting(COLOURS),
        autocompletion({ override: [(context) => complete(context, page)] }),
        linter(lint, { delay: 400 }),
        keymap.of([
          { key: "Mod-Enter", run: () => (onRun(), true) },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          ...completionKeymap,
          ...lintKeymap,
        ]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": page.words.query, tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && onChange?.()),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(content) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: content } });
    },
    focus: () => view.focus(),
    /** Mark what the server found wrong in this text, at a line and column that count from 1. */
    mark(message, line, column) {
      refused = line ? { text: view.state.doc.toString(), message, line, column } : null;
      for (const { from } of marks(view.state.doc, refused)) view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      forceLinting(view);
    },
  };
}

/** The place that the server named, as long as the text is the one that it refused. */
function marks(doc, refused) {
  if (!refused || doc.toString() !== refused.text || refused.line > doc.lines) return [];
  const line = doc.line(refused.line);
  const at = Math.min(line.from + refused.column - 1, line.to);
  const from = at === line.to ? Math.max(at - 1, line.from) : at;
  return [{ from, to: Math.min(from + 1, doc.length), severity: "error", message: refused.message }];
}

/** Terms by name or by label in either language, variables and keywords. */
async function complete(context, page) {
  const word = context.matchBefore(/[?$]?[\w:.\-\u3400-\u9fff]+/);
  if (!word && !context.explicit) return null;
  const typed = word ? word.text.toLowerCase() : "";
  const text = context.state.doc.toString();
  if (/^[?$]/.test(typed)) {
    const options = variables(text).map((name) => ({ label: `?${name}`, type: "variable" }));
    return { from: word.from, options };
  }
  const terms = await page.terms();
  const options = terms
    .filter(({ name, en, zh }) => [name, en, zh].some((one) => one?.toLowerCase().includes(typed)))
    .map((term) => ({
      label: term.name,
      detail: `${term[page.lang] ?? term.en} · ${term.count}`,
      type: term.kind,
      boost: Math.log10(1 + term.count) + (term.name.toLowerCase().startsWith(typed) ? 5 : 0),
      apply: (view, _, from, to) => insert(view, term.name, from, to, page),
    }));
  const keywords = KEYWORDS.split(" ").filter((one) => typed && one.toLowerCase().startsWith(typed));
  options.push(...keywords.map((label) => ({ label, type: "keyword", boost: -1 })));
  if (!typed || "select".startsWith(typed)) {
    options.push(snippetCompletion("SELECT ${?thing}\nWHERE {\n  ${?thing} ${a} ${mb:Benchmark} .\n}", { label: "SELECT …", boost: 9 }));
  }
  return { from: word ? word.from : context.pos, options, filter: false };
}

/** Write a name and, if it is missing, the declaration of its prefix. */
function insert(view, name, from, to, page) {
  const changes = [{ from, to, insert: name }];
  const prefix = name.split(":")[0];
  const text = view.state.doc.toString();
  if (!(prefix in declared(text))) changes.push(declaration(text, prefix, page.prefixes[prefix]));
  view.dispatch({ changes, userEvent: "input.complete" });
}

/** Undeclared prefixes, and terms of our own namespaces that the graph doesn't hold. */
async function check(text, page) {
  const terms = await page.terms();
  const known = new Map(terms.map((term) => [term.iri, term.name]));
  const covered = new Set(terms.map(({ name }) => page.prefixes[name.split(":")[0]]));
  const found = [];
  for (const { from, to, found: written, prefix, iri } of named(text)) {
    if (iri === null) {
      found.push(undeclared(text, { from, to, prefix }, page));
      continue;
    }
    const namespace = iri.slice(0, Math.max(iri.lastIndexOf("/"), iri.lastIndexOf("#")) + 1);
    if (!iri.startsWith(page.base) || !covered.has(namespace) || known.has(iri) || iri === namespace) continue;
    const siblings = [...known.keys()].filter((one) => one.startsWith(namespace));
    const near = nearest(iri.slice(namespace.length), siblings.map((one) => one.slice(namespace.length)));
    const better = near && (written[0] === "<" ? `<${namespace}${near}>` : `${prefix}:${near}`);
    found.push({
      from,
      to,
      severity: "warning",
      message: page.words.unknown.replace("{}", written) + (better ? page.words.didYouMean.replace("{}", better) : ""),
      actions: better ? [{ name: better, apply: (view, a, b) => view.dispatch({ changes: { from: a, to: b, insert: better } }) }] : [],
    });
  }
  return found;
}

function undeclared(text, { from, to, prefix }, page) {
  const iri = page.prefixes[prefix];
  const actions = iri
    ? [{ name: `PREFIX ${prefix}:`, apply: (view) => view.dispatch({ changes: declaration(view.state.doc.toString(), prefix, iri) }) }]
    : [];
  return { from, to, severity: "error", message: page.words.undeclared.replace("{}", `${prefix}:`), actions };
}
