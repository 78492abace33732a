// The query on the screen as a command or a program that gives the same answer.

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const triple = (text) => `"""${text.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"')}"""`;
const raw = (text) => `r"---(${text})---"`;

export const SNIPPETS = {
  curl: (endpoint, query) => `curl -H 'Accept: text/csv' --data-urlencode query=${quoted(query)} '${endpoint}'`,
  Python: (endpoint, query) => `import io, urllib.parse, urllib.request
import pandas

query = ${triple(query)}
body = urllib.parse.urlencode({"query": query}).encode()
request = urllib.request.Request("${endpoint}", body, {"Accept": "text/csv"})
table = pandas.read_csv(io.BytesIO(urllib.request.urlopen(request).read()))`,
  R: (endpoint, query) => `library(httr)

query <- ${raw(query)}
answer <- POST("${endpoint}", accept("text/csv"), body = list(query = query), encode = "form")
table <- read.csv(text = content(answer, "text", encoding = "UTF-8"))`,
  JavaScript: (endpoint, query) => `const query = ${JSON.stringify(query)};
const answer = await fetch("${endpoint}", {
  method: "POST",
  headers: { "Content-Type": "application/sparql-query", Accept: "application/sparql-results+json" },
  body: query,
});
const { results } = await answer.json();`,
};
