"""``python -m medbench_kg`` is ``medbench``."""

from medbench_kg.cli import main

main(prog_name="medbench")
