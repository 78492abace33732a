"""Makes a Markdown report of ``results.json``; run alone, it shows the last run again."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

REFERENCE = "oxigraph serve"
OURS = "medbench"
CACHED = "medbench, cached"

#: What is aimed at: text, contestant, peer, clients, least ratio.
TARGETS = (
    ("uncached, 1 client", OURS, REFERENCE, 1, 0.6),
    ("uncached, 8 clients", OURS, REFERENCE, 8, 0.5),
    ("cached, 8 clients", CACHED, REFERENCE, 8, 2.0),
    ("uncached, 1 client", OURS, "rdflib-endpoint", 1, 15.0),
    ("uncached, 8 clients", OURS, "rdflib-endpoint", 8, 15.0),
)
MEMORY_MB = 300
BESIDE_RUNAWAYS_MS = 200

Cells = dict[tuple[str, str, int], dict[str, Any]]


def table(found: dict[str, Any]) -> str:
    cells: Cells = {(c["contestant"], c["query"], c["clients"]): c for c in found["cells"]}
    parts = [_head(found), _targets(found, cells), _overview(found, cells)]
    parts += [_rates(cells, clients) for clients in (1, 8)]
    return "\n\n".join(parts) + "\n"


def summary(found: dict[str, Any]) -> str:
    """The few figures that README shows, in both languages, with a chart in Mermaid."""
    cells: Cells = {(c["contestant"], c["query"], c["clients"]): c for c in found["cells"]}
    wrong = _wrong(found)
    rates = {
        name: [ratio(cells, wrong, name, REFERENCE, clients) for clients in (1, 8)]
        for name in dict.fromkeys(key[0] for key in cells if key[2] == 8)
    }
    lines = [
        "| server · 服务器 | rate, 1 client · 速率 | 8 clients · 8 个 | p50 / p99 ms, 8 |",
        "|---|---|---|---|",
    ]
    for name, found_rates in rates.items():
        p50, p99 = (_number(_mean(cells, name, 8, what)) for what in ("p50_ms", "p99_ms"))
        lines.append(f"| {name} | {' | '.join(map(_number, found_rates))} | {p50} / {p99} |")
    names = ", ".join(f'"{name}"' for name in rates)
    bars = ", ".join(f"{both[1] or 0:.2f}" for both in rates.values())
    axis = f'  x-axis [{names}]\n  y-axis "times oxigraph serve, 8 clients"\n  bar [{bars}]'
    chart = f"```mermaid\nxychart-beta horizontal\n{axis}\n```"
    return "\n".join([*lines, "", chart])


def ratio(
    cells: Cells, wrong: dict[str, list[str]], one: str, other: str, clients: int
) -> float | None:
    """Rate of one contestant over that of another: median of the rounds, geometric mean of queries.

    A round counts if both were measured in it, a query if both answer it right.
    """
    found = []
    for query in sorted({key[1] for key in cells}):
        a, b = cells.get((one, query, clients)), cells.get((other, query, clients))
        bad = query in wrong.get(_server(one), []) or query in wrong.get(_server(other), [])
        if a is None or b is None or bad:
            continue
        pairs = [x / y for x, y in zip(a["rates"], b["rates"], strict=False)]
        if pairs:
            found.append(statistics.median(pairs))
    return statistics.geometric_mean(found) if found else None


def _server(contestant: str) -> str:
    return contestant.partition(",")[0]


def _wrong(found: dict[str, Any]) -> dict[str, list[str]]:
    return {name: server["wrong_answers"] for name, server in found["servers"].items()}


def _head(found: dict[str, Any]) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    load = found["load_average"]
    return (
        f"{found['date']}; {found['graph']['triples']} triples; {found['processors']} processors; "
        f"load average {load['before'][0]:.1f} before, {load['after'][0]:.1f} after; "
        f"{found['rounds']} rounds of {found['seconds_per_cell']} s; {versions}"
    )


def _targets(found: dict[str, Any], cells: Cells) -> str:
    lines = ["| target | least | found |", "|---|---|---|"]
    for text, one, other, clients, least in TARGETS:
        value = ratio(cells, _wrong(found), one, other, clients)
        lines.append(f"| {text}, times the rate of {other} | {least} | {_number(value)} |")
    memory = found["servers"].get(OURS, {}).get("pss_end_mb")
    lines.append(f"| memory (PSS) after the run, MB | below {MEMORY_MB} | {memory} |")
    for name, measured in found["beside_runaways"].items():
        text = f"{name}, p99 in ms while all places for long queries are taken"
        lines.append(f"| {text} | below {BESIDE_RUNAWAYS_MS} | {_number(measured['p99_ms'])} |")
    return "\n".join(lines)


def _overview(found: dict[str, Any], cells: Cells) -> str:
    columns = (
        "",
        "version",
        "rate ÷ oxigraph, 1 client",
        "8 clients",
        "medbench ÷ it, 1 client",
        "8 clients",
        "p50 ms, 1",
        "p99 ms, 1",
        "p50 ms, 8",
        "p99 ms, 8",
        "CPU ms",
        "PSS MB",
        "start s",
        "failed",
    )
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    wrong = _wrong(found)
    for name in dict.fromkeys(key[0] for key in cells):
        server = found["servers"].get(_server(name), {})
        pss = f"{server['pss_start_mb']}–{server['pss_end_mb']}" if server else "–"
        values = [
            *(ratio(cells, wrong, name, REFERENCE, n) for n in (1, 8)),
            *(ratio(cells, wrong, OURS, name, n) for n in (1, 8)),
            *(_mean(cells, name, n, what) for n in (1, 8) for what in ("p50_ms", "p99_ms")),
            _mean(cells, name, 8, "cpu_ms") or _mean(cells, name, 1, "cpu_ms"),
        ]
        failed = sum(cell["failed"] for key, cell in cells.items() if key[0] == name)
        row = [name, server.get("version", "–"), *map(_number, values), pss]
        lines.append("| " + " | ".join([*row, f"{server.get('start_s', '–')}", f"{failed}"]) + " |")
    lines += [
        f"| {name} | {why} |" + " |" * (len(columns) - 2) for name, why in found["absent"].items()
    ]
    notes = [
        f"{name} fails at {', '.join(queries)} or answers otherwise; its ratios omit that."
        for name, queries in wrong.items()
        if queries
    ]
    return "\n".join([*lines, "", *notes] if notes else lines)


def _mean(cells: Cells, name: str, clients: int, what: str) -> float | None:
    """Geometric mean over the queries."""
    values = [c[what] for k, c in cells.items() if k[0] == name and k[2] == clients and c[what]]
    return statistics.geometric_mean(values) if values else None


def _rates(cells: Cells, clients: int) -> str:
    queries = sorted({key[1] for key in cells})
    short = [query.partition("-")[0] for query in queries]
    lines = [
        f"Requests a second, {clients} client{'s' if clients > 1 else ''}:",
        "",
        "| | " + " | ".join(short) + " |",
        "|---" * (len(short) + 1) + "|",
    ]
    for name in dict.fromkeys(key[0] for key in cells if key[2] == clients):
        found = [cells.get((name, query, clients), {}).get("rates") for query in queries]
        row = [_number(statistics.median(rates)) if rates else "–" for rates in found]
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


if __name__ == "__main__":
    path = Path(__file__).parent / "results.json"
    sys.stdout.write(table(json.loads(path.read_text(encoding="utf-8"))))
