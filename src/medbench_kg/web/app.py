"""Makes the Flask app; everything that it serves comes in as an argument."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from flask import Flask
from flask_compress import Compress

from medbench_kg import vocabulary
from medbench_kg.metadata import QUERIES_GRAPH, VOID_GRAPH
from medbench_kg.negotiation import FORMATS, by_name
from medbench_kg.store import LocalStore
from medbench_kg.web import problems, words
from medbench_kg.web.browse import browse
from medbench_kg.web.cache import keep
from medbench_kg.web.descriptions import PATHS as DESCRIPTIONS
from medbench_kg.web.descriptions import descriptions
from medbench_kg.web.feeds import feeds
from medbench_kg.web.pages import pages
from medbench_kg.web.protocol import PATHS, protocol
from medbench_kg.web.resources import paths, resources
from medbench_kg.web.watch import ENCODINGS, health, preflight, watch
from medbench_kg.web.workbench import workbench

if TYPE_CHECKING:
    from medbench_kg.evaluation import Pool
    from medbench_kg.pipeline import Manifest
    from medbench_kg.settings import Settings

__all__ = ["create_app"]

#: What is compressed besides the formats of answers.
_COMPRESSED = (
    "text/html",
    "text/css",
    "text/javascript",
    "text/plain",
    "application/atom+xml",
    "application/json",
    "application/problem+json",
)


def create_app(store: LocalStore, manifest: Manifest, pool: Pool, settings: Settings) -> Flask:
    """Make an app that serves a graph.

    Args:
        store: the graph; no route writes to it.
        manifest: the build that it was read from.
        pool: evaluates the queries of strangers.
        settings: limits.
    """
    app = Flask("medbench_kg.web")
    app.config.update(
        MAX_CONTENT_LENGTH=settings.body_kb << 10,
        MAX_FORM_MEMORY_SIZE=settings.body_kb << 10,
        COMPRESS_ALGORITHM=list(ENCODINGS),
        COMPRESS_STREAMS=False,
        COMPRESS_MIMETYPES=[*_COMPRESSED, *(fmt.media_type for fmt in FORMATS)],
    )
    words.register(app)
    app.register_blueprint(protocol(store, pool, _service(store), manifest.version))
    app.register_blueprint(workbench(store))
    app.register_blueprint(browse(store))
    app.register_blueprint(descriptions(store, manifest.version))
    app.register_blueprint(pages(manifest))
    app.register_blueprint(feeds(store))
    app.register_blueprint(resources(store, manifest.version))
    problems.register(app)
    Compress(app)
    app.register_blueprint(health(pool, manifest.version))
    app.before_request(preflight)
    kept = keep(app.wsgi_app, PATHS + DESCRIPTIONS + paths(), settings.cache_mb << 20)
    app.wsgi_app = watch(kept, access_log=settings.access_log)  # type: ignore[assignment,method-assign]
    return app


def _service(store: LocalStore) -> LocalStore:
    """The service description, with all that an editor or a query planner reads in it."""
    service = LocalStore(vocabulary.load().prefixes)
    description = files("medbench_kg.web") / "service.ttl"
    service.load(description.read_bytes(), "turtle", base=vocabulary.BASE)
    for graph in (VOID_GRAPH, QUERIES_GRAPH):
        service.load(store.dump(by_name("ntriples"), graph), "ntriples")
    return service
