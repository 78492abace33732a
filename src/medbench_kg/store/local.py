"""The graph in this process or on its disk: pyoxigraph's store, and its views for rdflib."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import oxrdflib
import pyoxigraph as ox
from rdflib import Graph
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

from medbench_kg.errors import QueryError, StoreError, UpdateError
from medbench_kg.store.syntax import is_update, syntax_problem
from medbench_kg.store.terms import (
    RDF_FORMATS,
    RESULT_FORMATS,
    ordered,
    reading_order,
    sort_key,
    spaced,
    to_rdflib,
    used,
    with_fragments,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rdflib.term import Node

    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.store.interface import Pick
    from medbench_kg.store.terms import Quad

__all__ = ["LocalStore", "write_to_disk"]


class LocalStore:
    """A graph in memory, or one on disk that is only read.

    Attributes:
        unopened_files: files that the engine may still have to open to answer a query.
    """

    def __init__(
        self, prefixes: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> None:
        """Open an empty graph in memory, or one that :func:`write_to_disk` wrote.

        Args:
            prefixes: used when Turtle, TriG or RDF/XML is written.
            folder: where the graph is on disk; it is opened without reading it.

        Raises:
            StoreError: the folder holds no graph.
        """
        try:
            self._store = ox.Store() if folder is None else ox.Store.read_only(str(folder))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"The graph on disk can't be opened: {error}.", hint="Build it again."
            ) from error
        self._prefixes = dict(prefixes or {})
        # RocksDB opens the first few at once and the others when they are needed.
        self.unopened_files = 0 if folder is None else sum(1 for _ in folder.glob("*.sst"))

    def __len__(self) -> int:
        """Number of quads, named graphs included."""
        return len(self._store)

    def load(
        self, content: bytes, fmt: str, *, graph: str | None = None, base: str | None = None
    ) -> None:
        """Add RDF.

        Args:
            content: the document, UTF-8.
            fmt: name of a graph or dataset format, see :mod:`medbench_kg.negotiation`.
            graph: IRI of the named graph to add to; None is the default graph.
            base: IRI that relative references are resolved against.

        Raises:
            StoreError: the document isn't well-formed; nothing is added.
        """
        target = None if graph is None else ox.NamedNode(graph)
        try:
            self._store.load(content, RDF_FORMATS[fmt], to_graph=target, base_iri=base)
        except SyntaxError as error:
            raise _unreadable(error) from error
        except (ValueError, OSError) as error:
            raise StoreError(f"The RDF can't be read: {error}.") from error

    def infer(self, rule: str, graph: str | None = None) -> set[Quad]:
        """Add what a CONSTRUCT query finds to a graph; return what is new.

        Args:
            rule: the query; it sees all graphs.
            graph: IRI of the named graph to add to; None is the default graph.
        """
        triples = self._run(rule)
        if not isinstance(triples, ox.QueryTriples):
            raise QueryError("A rule must be a CONSTRUCT query.")
        target = _graph(graph)
        found = {ox.Quad(t.subject, t.predicate, t.object, target) for t in triples}
        new = {quad for quad in found if quad not in self._store}
        self._store.extend(new)
        return new

    def construct(self, text: str) -> LocalStore:
        """Answer a CONSTRUCT query as a store of its own.

        Raises:
            QueryError: the text isn't a CONSTRUCT query.
        """
        triples = self._run(text)
        if not isinstance(triples, ox.QueryTriples):
            raise QueryError("This needs a CONSTRUCT query.")
        answer = LocalStore(self._prefixes)
        answer._store.extend([ox.Quad(t.subject, t.predicate, t.object) for t in triples])
        return answer

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Answer a query in the engine's own serialisation.

        Args:
            text: SPARQL 1.1; prefixes must be declared in it.
            pick: asked with ``results`` for SELECT and ASK, with ``graph`` for CONSTRUCT and
                DESCRIBE.

        Returns:
            The answer and the format that it is in.

        Raises:
            QueryError: the text isn't a SPARQL 1.1 query.
        """
        answer = self._run(text)
        if isinstance(answer, ox.QueryTriples):
            fmt = pick("graph")
            if fmt.name in {"turtle", "rdfxml"}:
                return self._with_prefixes(answer, fmt), fmt
            return ox.serialize(answer, format=RDF_FORMATS[fmt.name]) or b"", fmt
        fmt = pick("results")
        return answer.serialize(format=RESULT_FORMATS[fmt.name]) or b"", fmt

    def write_answer(
        self,
        text: str,
        pick: Pick,
        output: IO[bytes],
        *,
        base: str | None = None,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
    ) -> None:
        """Write an answer as it comes; graphs that are named make the dataset instead of FROM.

        Raises:
            UpdateError: the text is an update.
            QueryError: the text isn't a SPARQL 1.1 query, or a graph is named by no IRI.
            EngineError: the output took no more.
        """
        try:
            answer = self._store.query(
                text,
                base_iri=base,
                default_graph=_graphs(default_graphs),
                named_graphs=None
                if named_graphs is None
                else [ox.NamedNode(i) for i in named_graphs],
            )
        except SyntaxError as error:
            if is_update(text, base):
                raise UpdateError(
                    "This is an update, and the graph is read-only.", hint="Send a query."
                ) from error
            raise syntax_problem(error) from error
        except (RuntimeError, ValueError, OSError) as error:
            raise QueryError(f"The query can't be answered: {error}.") from error
        if isinstance(answer, ox.QueryTriples):
            fmt = pick("graph")
            if fmt.name in {"turtle", "rdfxml"}:
                output.write(self._with_prefixes(answer, fmt))
            else:
                ox.serialize(answer, output, format=RDF_FORMATS[fmt.name])
        else:
            kind: Kind = "boolean" if isinstance(answer, ox.QueryBoolean) else "results"
            answer.serialize(output, format=RESULT_FORMATS[pick(kind).name])

    def _with_prefixes(self, answer: ox.QueryTriples, fmt: Format) -> bytes:
        """Write triples with those of the prefixes that occur in them, in alphabetical order."""
        triples = list(answer)
        prefixes = used(self._prefixes, triples)
        return ordered(
            ox.serialize(triples, format=RDF_FORMATS[fmt.name], prefixes=prefixes) or b""
        )

    def rows(self, text: str) -> Iterator[dict[str, str]]:
        """Answer a SELECT as rows of lexical values, unbound variables left out.

        Raises:
            QueryError: the text isn't a SELECT query.
        """
        answer = self._run(text)
        if not isinstance(answer, ox.QuerySolutions):
            raise QueryError("This needs a SELECT query.")
        names = [variable.value for variable in answer.variables]
        for solution in answer:
            yield {n: t.value for n in names if (t := solution[n]) is not None}

    def dump(self, fmt: Format, graph: str | None = None) -> bytes:
        """Write one graph, or all graphs if the format holds a dataset.

        Quads are sorted and only prefixes that occur are declared: equal graphs, equal bytes.

        Args:
            fmt: a graph or dataset format.
            graph: IRI of the named graph to write; None is the default graph.
        """
        source = None if fmt.kind == "dataset" else _graph(graph)
        quads = sorted(self._store.quads_for_pattern(None, None, None, source), key=sort_key)
        prefixed = fmt.name in {"turtle", "trig", "rdfxml"}
        prefixes = used(self._prefixes, quads) if prefixed else None
        content = quads if fmt.kind == "dataset" else [quad.triple for quad in quads]
        return ordered(
            ox.serialize(content, format=RDF_FORMATS[fmt.name], prefixes=prefixes) or b""
        )

    def document(self, fmt: Format, about: str) -> bytes:
        """Write the default graph for a reader: the thing first, then what belongs to it.

        In Turtle the fragments that it is mostly about have the empty prefix; blank nodes, which
        the engine can't nest, are left to rdflib.

        Args:
            fmt: a graph format.
            about: IRI of the thing.
        """
        quads = self._store.quads_for_pattern(None, None, None, ox.DefaultGraph())
        triples = sorted((quad.triple for quad in quads), key=reading_order(about))
        if fmt.name != "turtle":
            prefixes = used(self._prefixes, triples) if fmt.name == "rdfxml" else None
            return ordered(
                ox.serialize(triples, format=RDF_FORMATS[fmt.name], prefixes=prefixes) or b""
            )
        prefixes = used(with_fragments(self._prefixes, triples), triples)
        if any(isinstance(triple.subject, ox.BlankNode) for triple in triples):
            copy = self.copy_to_rdflib(into=Graph(bind_namespaces="none"))
            for prefix, namespace in prefixes.items():
                copy.bind(prefix, namespace)
            return copy.serialize(format="turtle", encoding="utf-8")
        return spaced(
            ordered(ox.serialize(triples, format=RDF_FORMATS["turtle"], prefixes=prefixes) or b"")
        )

    def split(self, core: LocalStore) -> tuple[LocalStore, LocalStore]:
        """Part the default graph by subject, given a store that holds a part of it.

        Returns:
            All about subjects of which ``core`` says everything, with its named graphs; all about
            the others.
        """
        stated = set(core._store)
        triples = list(self._store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
        others = {quad.subject for quad in triples if quad not in stated}
        first, second = LocalStore(self._prefixes), LocalStore(self._prefixes)
        first._store.extend([quad for quad in triples if quad.subject not in others])
        first._store.extend([q for q in stated if q.graph_name != ox.DefaultGraph()])
        second._store.extend([quad for quad in triples if quad.subject in others])
        return first, second

    def subjects(self) -> set[str]:
        """The IRIs, or labels of blank nodes, that the default graph says something about."""
        quads = self._store.quads_for_pattern(None, None, None, ox.DefaultGraph())
        return {str(quad.subject).strip("<>") for quad in quads}

    def canonical(self) -> LocalStore:
        """A copy whose blank nodes are labelled by RDF Dataset Canonicalization."""
        dataset = ox.Dataset(self._store)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        copy = LocalStore(self._prefixes)
        copy._store.extend(dataset)
        return copy

    def missing_from(self, other: LocalStore) -> list[str]:
        """The quads that another graph lacks, as N-Quads, in order."""
        return sorted(str(quad) for quad in self._store if quad not in other._store)

    def quads(self) -> set[Quad]:
        """All that the store holds."""
        return set(self._store)

    def replace(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Take quads out and put others in."""
        for quad in removed:
            self._store.remove(quad)
        self._store.extend(added)

    def as_rdflib(self) -> Graph:
        """The default graph as an rdflib graph over this very store: writes show on both sides."""
        return Graph(
            store=oxrdflib.OxigraphStore(store=self._store), identifier=DATASET_DEFAULT_GRAPH_ID
        )

    def copy_to_rdflib(self, graph: str | None = None, into: Graph | None = None) -> Graph:
        """Copy one graph into rdflib's memory, with the terms that rdflib's own parser makes.

        rdflib holds ``"x"`` and ``"x"^^xsd:string`` to be different literals, so a graph that went
        through oxrdflib doesn't match shapes that didn't, and ``sh:in`` reports false violations.
        """
        copy = Graph() if into is None else into
        source = _graph(graph)
        known: dict[object, Node] = {}

        def term(value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
            if value not in known:
                known[value] = to_rdflib(value)
            return known[value]

        for quad in self._store.quads_for_pattern(None, None, None, source):
            copy.add((term(quad.subject), term(quad.predicate), term(quad.object)))
        return copy

    def _run(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        try:
            return self._store.query(text)
        except SyntaxError as error:
            raise syntax_problem(error) from error
        except (RuntimeError, ValueError) as error:
            raise QueryError(f"The query can't be answered: {error}.") from error


def _unreadable(error: SyntaxError) -> StoreError:
    """Have the position that the parser's message begins with stand apart."""
    if error.lineno is None:
        return StoreError(f"The RDF can't be read: {error.msg}.")
    reason = error.msg.partition(": ")[2]
    where = f"line {error.lineno}, column {error.offset}"
    return StoreError(f"The RDF can't be read: {reason}.", where=where)


def write_to_disk(source: Path, fmt: str, folder: Path) -> None:
    """Load a document of any size into a new folder, for :class:`LocalStore` to open.

    Args:
        source: the document.
        fmt: name of a graph or dataset format, see :mod:`medbench_kg.negotiation`.
        folder: where to put the graph; mustn't hold one.

    Raises:
        StoreError: the document can't be read or isn't well-formed, or there is no room.
    """
    try:
        store = ox.Store(str(folder))
        store.bulk_load(path=str(source), format=RDF_FORMATS[fmt])
        store.optimize()
        store.flush()
    except (SyntaxError, ValueError, OSError) as error:
        raise StoreError(f"{source} can't be loaded: {error}.") from error


def _graphs(
    iris: Sequence[str] | None,
) -> list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] | None:
    return None if iris is None else [ox.NamedNode(iri) for iri in iris]


def _graph(iri: str | None) -> ox.NamedNode | ox.DefaultGraph:
    return ox.DefaultGraph() if iri is None else ox.NamedNode(iri)
