// Searches a copy of the site by the names in search-index.js: every word must be in them, in any
// order; punctuation doesn't count. A server finds more, such as misspelt names.
"use strict";

const compact = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
const asked = (new URLSearchParams(location.search).get("q") ?? "").trim();
const words = asked.split(/\s+/u).map(compact).filter(Boolean);
const list = document.querySelector("ol.hits");
const language = document.documentElement.lang.slice(0, 2);
const kinds = JSON.parse(list.dataset.kinds);

document.getElementById("q").value = asked;
const hits = words.length === 0 ? [] : self.searchIndex.flatMap(([path, kind, names, more]) => {
  const titles = Object.values(names).map(compact);
  const all = compact(more);
  if (!words.every((word) => titles.some((title) => title.includes(word)) || all.includes(word))) {
    return [];
  }
  const isExact = titles.includes(words.join(""));
  const isNamed = words.every((word) => titles.some((title) => title.includes(word)));
  return [{ path, kind, title: names[language] ?? names.en ?? names[""] ?? path, rank: isExact ? 0 : isNamed ? 1 : 2 }];
});
hits.sort((one, other) => one.rank - other.rank);
for (const hit of hits.slice(0, 50)) {
  const link = document.createElement("a");
  link.href = `${hit.path}.html`;
  link.textContent = hit.title;
  const kind = document.createElement("small");
  kind.textContent = kinds[hit.kind];
  const item = document.createElement("li");
  item.append(link, " ", kind);
  list.append(item);
}
document.querySelector("[role=status]").textContent = words.length === 0 ? "" : `${list.dataset.found} ${hits.length}`;
