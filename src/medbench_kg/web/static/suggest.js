// Offers names while one types into a search box; without this script the box works as it is.
const box = document.querySelector("input[data-suggestions]");
const list = document.getElementById("suggestions");
let last = "";
let waiting = 0;

box.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(offer, 120);
});

async function offer() {
  const text = box.value.trim();
  if (text.length < 2 || text === last) return;
  last = text;
  const answer = await fetch(`${box.dataset.suggestions}?q=${encodeURIComponent(text)}`);
  if (!answer.ok || box.value.trim() !== text) return;
  const [, names, kinds] = await answer.json();
  list.replaceChildren(...names.map((name, at) => new Option(kinds[at], name)));
}
