"""Makes the Flask app; everything that it serves comes in as an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from medbench_kg import pipeline
from medbench_kg.web import problems
from medbench_kg.web.pages import pages
from medbench_kg.web.protocol import protocol

if TYPE_CHECKING:
    from medbench_kg.pipeline import Manifest
    from medbench_kg.store import LocalStore

__all__ = ["create_app"]


def create_app(store: LocalStore, manifest: Manifest) -> Flask:
    """Make an app that serves a graph.

    Args:
        store: the graph, opened read-only by convention: no route writes.
        manifest: the build that it was read from.
    """
    app = Flask("medbench_kg.web")
    app.register_blueprint(protocol(store))
    app.register_blueprint(pages(manifest, pipeline.statistics(store)))
    problems.register(app)

    return app
