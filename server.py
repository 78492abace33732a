"""Serve the built graph: the same server as ``medbench serve``, set by environment variables."""

import sys

from medbench_kg import MedbenchError, settings
from medbench_kg.web import server

if __name__ == "__main__":
    try:
        server.run(settings.from_env())
    except MedbenchError as error:
        sys.exit(f"medbench: {error}")
