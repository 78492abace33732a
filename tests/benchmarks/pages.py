"""Measures pages: made anew at each request, and from a warm server that keeps answers.

.venv/bin/python tests/benchmarks/pages.py        # the real graph
.venv/bin/python tests/benchmarks/pages.py big    # a graph on disk, see scale.py
"""

from __future__ import annotations

import statistics
import sys

from scale import fetch, start

ROUNDS = 7
PAGES = (
    "",
    "zh/",
    "datasets",
    "datasets?modality=ct&sort=year",
    "search?q=pathology",
    "zh/search?q=%E7%97%85%E7%90%86",
    "coverage",
    "coverage?rows=task&columns=language",
    "dataset/pathmmu",
    "zh/dataset/pathmmu",
    "modality/chest-x-ray",
    "venue/iccv",
    "lineage/pathmmu",
    "lineage",
    "compare?d=gemex&d=pathmmu",
    "corrections",
    "quality",
    "changes",
    "timeline",
    "query/datasets-by-licence",
    "contribute",
    "sparql",
)


def medians(arguments: list[str], **environ: str) -> list[float]:
    """Milliseconds for each page, the first round left out: it fills what the server keeps."""
    process, address, _ = start(*arguments, **environ)
    try:
        rounds = [[fetch(f"{address}{page}", "text/html") for page in PAGES] for _ in range(ROUNDS)]
    finally:
        process.terminate()
        process.wait()
    return [1000 * statistics.median(times) for times in zip(*rounds[1:], strict=True)]


def main() -> None:
    arguments = ["--store", sys.argv[1]] if len(sys.argv) > 1 else []
    made = medians(arguments, MEDBENCH_CACHE_MB="0", MEDBENCH_WORKERS="1")
    kept = medians(arguments, MEDBENCH_WORKERS="1")
    print("| page | made anew, ms | warm, ms |\n|---|---|---|")  # noqa: T201
    for page, one, other in zip(PAGES, made, kept, strict=True):
        print(f"| `/{page}` | {one:.1f} | {other:.1f} |")  # noqa: T201
    print(f"| median | {statistics.median(made):.1f} | {statistics.median(kept):.1f} |")  # noqa: T201


if __name__ == "__main__":
    main()
