"""Makes the Flask app; everything that it serves comes in as an argument."""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from flask import Flask, Response, make_response, redirect, request
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from medbench_kg import vocabulary
from medbench_kg.metadata import QUERIES_GRAPH, VOID_GRAPH
from medbench_kg.negotiation import FORMATS, by_name
from medbench_kg.store import LocalStore
from medbench_kg.web import paging, problems, words
from medbench_kg.web.about import about
from medbench_kg.web.asking import evaluate_first
from medbench_kg.web.browse import browse
from medbench_kg.web.cache import keep, keep_nothing
from medbench_kg.web.compare import PATHS as COMPARE
from medbench_kg.web.compare import compare
from medbench_kg.web.contribute import contribute
from medbench_kg.web.coverage import coverage
from medbench_kg.web.descriptions import PATHS as DESCRIPTIONS
from medbench_kg.web.descriptions import descriptions
from medbench_kg.web.feeds import feeds
from medbench_kg.web.finding import finding
from medbench_kg.web.hints import Names
from medbench_kg.web.limit import limit
from medbench_kg.web.lineage import PATHS as LINEAGE
from medbench_kg.web.lineage import Risks, lineage
from medbench_kg.web.links import links
from medbench_kg.web.openapi import openapi
from medbench_kg.web.overviews import PATHS as OVERVIEWS
from medbench_kg.web.overviews import overviews
from medbench_kg.web.pages import pages
from medbench_kg.web.protocol import PATHS, protocol
from medbench_kg.web.renditions import renditions
from medbench_kg.web.resources import paths, resources
from medbench_kg.web.supplements import supplements
from medbench_kg.web.watch import ENCODINGS, health, preflight, watch
from medbench_kg.web.workbench import workbench
from medbench_kg.web.writing import writing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from medbench_kg.builds import Manifest
    from medbench_kg.evaluation import Pool
    from medbench_kg.settings import Settings
    from medbench_kg.store import Store

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


def create_app(
    store: Store,
    manifest: Manifest,
    pool: Pool,
    settings: Settings,
    gate: Path | None = None,
) -> Flask:
    """Make an app that serves a graph.

    Args:
        store: the graph; no route writes to it.
        manifest: the build that it was read from.
        pool: evaluates the queries of strangers.
        settings: limits, and who may write.
        gate: socket of the process that checks records; None offers no checks.
    """
    app = Flask("medbench_kg.web")
    base = settings.public_url or vocabulary.BASE
    app.config.update(
        PUBLIC_ORIGIN=urljoin(settings.public_url, "/").removesuffix("/"),
        MAX_CONTENT_LENGTH=settings.body_kb << 10,
        MAX_FORM_MEMORY_SIZE=settings.body_kb << 10,
        COMPRESS_ALGORITHM=list(ENCODINGS),
        COMPRESS_STREAMS=False,
        COMPRESS_MIMETYPES=[*_COMPRESSED, *(fmt.media_type for fmt in FORMATS)],
    )
    words.register(app)
    app.jinja_env.globals["page_size"] = paging.SIZE
    app.register_blueprint(protocol(store, _service(store, base), manifest.version))
    app.register_blueprint(workbench(store))
    app.register_blueprint(descriptions(store))
    app.register_blueprint(browse(store))
    app.register_blueprint(coverage(store))
    names, risks = Names(store), Risks(store)
    app.register_blueprint(lineage(store, risks))
    app.register_blueprint(links(store))
    app.register_blueprint(overviews(store))
    app.register_blueprint(compare(store))
    app.register_blueprint(finding(store, settings))
    app.register_blueprint(contribute(store, gate, settings))
    app.register_blueprint(pages(store, manifest))
    app.register_blueprint(about(store, manifest, settings))
    app.register_blueprint(openapi(store, manifest, settings))
    app.register_blueprint(feeds(store))
    supplement = supplements(store, risks)
    app.register_blueprint(resources(store, names, manifest.version, renditions(store), supplement))
    if gate is not None and settings.checks:
        app.register_blueprint(writing(gate, settings, manifest.records))
    problems.register(app)
    Compress(app)
    app.register_blueprint(health(pool, manifest.version))
    app.before_request(preflight)
    app.after_request(_redirect_by_path)
    app.after_request(_whole_if_static)
    first = evaluate_first(
        app.wsgi_app, pool, names, base, manifest.version, settings.body_kb << 10
    )
    lasting = PATHS + DESCRIPTIONS + LINEAGE + COMPARE + OVERVIEWS + paths()
    if manifest.version:
        kept = keep(first, (*lasting, "/static/"), settings.cache_mb << 20)
    else:
        kept = keep_nothing(first, lasting)
    limited = limit(kept, app, settings.rate_limit)
    watched = watch(limited, access_log=settings.access_log)
    named = _named(settings.public_url, watched)
    app.wsgi_app = _behind(settings.trusted_proxies, named)  # type: ignore[assignment,method-assign]
    return app


def _service(store: Store, base: str) -> LocalStore:
    """The service description, with all that an editor or a query planner reads in it."""
    service = LocalStore(vocabulary.load().prefixes)
    description = files("medbench_kg.web") / "service.ttl"
    service.load(description.read_bytes(), "turtle", base=base)
    for graph in (VOID_GRAPH, QUERIES_GRAPH):
        service.load(store.dump(by_name("ntriples"), graph), "ntriples")
    return service


def _behind(proxies: int, app: WSGIApplication) -> WSGIApplication:
    """Find a client's address behind so many proxies; nothing else is taken from them."""
    return ProxyFix(app, x_for=proxies, x_proto=0, x_host=0) if proxies else app


def _named(public_url: str, app: WSGIApplication) -> WSGIApplication:
    """Replace the host that a client names: caches give the answers that hold it to others."""
    public = urlsplit(public_url)

    def named(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = environ["SERVER_NAME"]
        own = f"[{host}]" if ":" in host else host
        environ["HTTP_HOST"] = public.netloc or f"{own}:{environ['SERVER_PORT']}"
        environ["wsgi.url_scheme"] = public.scheme or "http"
        environ["SCRIPT_NAME"] = public.path.removesuffix("/")
        return app(environ, start_response)

    return named


def _redirect_by_path(response: Response) -> Response:
    """Redirect by path: that leads to where the client is, by whatever name it got here."""
    target = response.location or ""
    path = target.removeprefix(request.host_url.rstrip("/"))
    return response if path == target else make_response(redirect(path, response.status_code))


def _whole_if_static(response: Response) -> Response:
    """Take a file of the pages into memory: what is streamed isn't compressed."""
    if request.endpoint == "static" and response.status_code == HTTPStatus.OK:
        response.direct_passthrough = False
        response.make_sequence()
    return response
