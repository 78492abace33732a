"""Commands of those who measure."""

from __future__ import annotations

import io
from pathlib import Path

import click

from medbench_kg import builds, synthetic
from medbench_kg.negotiation import by_name

__all__ = ["bench"]


@click.group()
def bench() -> None:
    """Prepare what benchmarks need."""


@bench.command()
@click.option("--datasets", type=click.IntRange(0), required=True, help="How many to add.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File of N-Quads.",
)
def generate(datasets: int, output: Path) -> None:
    """Write the built graph with so many synthetic datasets added, as N-Quads.

    They have the statistics of the real ones; the same number gives the same file.
    """
    real = io.StringIO(builds.dump(by_name("nquads")).decode())
    with output.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(synthetic.enlarge(real, datasets))
