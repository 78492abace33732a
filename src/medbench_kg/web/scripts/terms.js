// What the text of a query says: its prefixes, its variables and the terms that it names.

/** Strings and comments, which hold no terms, and IRIs, which do. */
const APART = /"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<[^<>"{}|^`\\\s]*>|#[^\n]*/g;
const DECLARED = /\bPREFIX\s+([\w.-]*):\s*<([^<>\s]*)>/gi;
const NAME = /<[^<>\s]*>|(?<![\w?$:])([A-Za-z][\w.-]*)?:([\w-](?:[\w.-]*[\w-])?)/g;

/** The text with strings and comments blanked, position by position. */
function bare(text) {
  return text.replace(APART, (part) => (part[0] === "<" ? part : part.replace(/[^\n]/g, " ")));
}

/** Prefix → namespace, as the query declares them. */
export function declared(text) {
  return Object.fromEntries([...bare(text).matchAll(DECLARED)].map(([, prefix, iri]) => [prefix, iri]));
}

/** The terms that a query names, each with its place; `iri` is null where the prefix is undeclared. */
export function named(text) {
  const prefixes = declared(text);
  const body = bare(text).replace(DECLARED, (part) => " ".repeat(part.length));
  return [...body.matchAll(NAME)].map(({ 0: found, 1: prefix = "", 2: local, index }) => {
    const place = { from: index, to: index + found.length, found, prefix };
    if (found[0] === "<") return { ...place, iri: found.slice(1, -1) };
    return { ...place, iri: prefix in prefixes ? prefixes[prefix] + local : null };
  });
}

/** The variables of a query, without their marks. */
export function variables(text) {
  return [...new Set([...bare(text).matchAll(/[?$](\w+)/g)].map(([, name]) => name))];
}

/** The slots that a question leaves open: `VALUES ?modality { UNDEF }`. */
export function fill(text, name, value) {
  const slot = new RegExp(`(VALUES\\s+\\?${name}\\s*\\{\\s*)[^{}]*?(\\s*\\})`, "i");
  return text.replace(slot, (_, before, after) => before + (value || "UNDEF") + after);
}

/** Where to declare a prefix: behind the declarations that are there. */
export function declaration(text, prefix, iri) {
  const last = [...bare(text).matchAll(DECLARED)].at(-1);
  const head = text.match(/^(?:[ \t]*#[^\n]*\n)*/)[0].length;
  const at = last ? text.indexOf("\n", last.index) + 1 || text.length : head;
  const line = `PREFIX ${prefix}: <${iri}>\n`;
  return { from: at, insert: at && text[at - 1] !== "\n" ? `\n${line}` : line };
}

/** How many single edits lead from one word to the other. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** The name nearest to a word, if it is near at all. */
export function nearest(word, names) {
  const lower = word.toLowerCase();
  const [best] = names
    .map((name) => [distance(lower, name.toLowerCase()), name])
    .sort(([a], [b]) => a - b);
  return best && best[0] <= Math.max(2, word.length / 3) ? best[1] : null;
}
