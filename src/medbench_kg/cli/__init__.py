"""The command line: parse arguments, call one function of the core, print.

Data goes to standard output, messages to standard error. Exit codes: 0 fine, 1 warnings only and
``--strict``, 2 wrong input, 3 violations, 5 no graph to open, 6 no answer from the web.
"""

from __future__ import annotations

import click

from medbench_kg.cli import (
    adding,
    benchmarking,
    building,
    curation,
    linking,
    lists,
    questions,
    serving,
)
from medbench_kg.cli.console import Group

__all__ = ["main"]


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medbench-kg")
def main() -> None:
    """Check, build, query, export and serve the graph of medical vision-language benchmarks."""


for command in (
    curation.check,
    curation.fmt,
    lists.import_list,
    lists.render,
    lists.diff,
    linking.links_group,
    adding.add,
    building.build,
    building.export,
    building.push,
    questions.query,
    questions.sparql,
    questions.cite,
    serving.serve,
    serving.site,
    serving.settings,
    serving.token,
    benchmarking.bench,
):
    main.add_command(command)
