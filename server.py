"""Serve the built graph: the same as ``medbench serve``, set by environment variables."""

from medbench_kg.cli import main

if __name__ == "__main__":
    main(["serve"], prog_name="medbench")
