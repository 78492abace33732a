"""What the engine gets to see, and that it survives it."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pyoxigraph
import pytest

from medbench_kg.errors import QueryError
from medbench_kg.guard import Limits, inspect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: An address that the engine refuses before it connects: the error tells that it would have called.
CALL = "SERVICE<http://127.0.0.1:1/>{}"
P = "PREFIX ex: <http://ex/> PREFIX b: <http://b/> PREFIX : <http://127.0.0.1:1/> "


def numbered(pattern: str, count: int) -> str:
    return "".join(pattern.replace("#", str(number)) for number in range(count))


def nested(before: str, after: str, core: str, frame: str) -> Callable[[int], str]:
    return lambda n: frame.replace("@", before * n + core + after * n)


def row(piece: str, frame: str) -> Callable[[int], str]:
    return lambda n: frame.replace("@", numbered(piece, n))


SELECT = "SELECT (@ AS ?x) {}"
ASK = "ASK {@}"
TRIPLE = "?s ?p ?o"
OBJECT = "ASK {?s <http://p> @}"
PATH = "ASK {?s @ ?o}"

NESTED = {
    "calls": nested("STR(", ")", "1", SELECT),
    "IF": nested("IF(true,", ",2)", "1", SELECT),
    "COALESCE": nested("COALESCE(", ")", "1", SELECT),
    "IN": nested("1 IN(", ")", "1", SELECT),
    "functions": nested("<http://f>(", ")", "1", SELECT),
    "parentheses": nested("(", ")", "1", SELECT),
    "or, to the right": nested("(?z||", ")", "?z", SELECT),
    "not": nested("!", "", "1", SELECT),
    "not in parentheses": nested("!(", ")", "1", SELECT),
    "minus signs": nested("- ", "", "?z", SELECT),
    "EXISTS": nested("FILTER EXISTS {", "}", TRIPLE, ASK),
    "NOT EXISTS": nested("FILTER(!EXISTS {", "})", TRIPLE, ASK),
    "groups": nested("{", "}", TRIPLE, ASK),
    "OPTIONAL": nested("OPTIONAL {", "}", TRIPLE, ASK),
    "MINUS": nested(TRIPLE + " MINUS {", "}", TRIPLE, ASK),
    "GRAPH": nested("GRAPH ?g {", "}", TRIPLE, ASK),
    "sub-select": nested("{SELECT * {", "}}", TRIPLE, ASK),
    "inverse": nested("^", "", "<http://p>", PATH),
    "inverse in parentheses": nested("^(", ")", "<http://p>", PATH),
    "path": nested("(", ")*", "<http://p>", PATH),
    "collection": nested("(", ")", "1", OBJECT),
    "blank nodes": nested("[<http://p> ", "]", "1", OBJECT),
    "triple terms": nested("<<( ?s <http://p> ", " )>>", "1", OBJECT),
    "triple terms in FILTER": nested("<<( ?s <http://p> ", " )>>", "1", "ASK {FILTER(@ = 1)}"),
    "reified triples": nested("<< ?s <http://p> ", " >>", "1", OBJECT),
}
IN_A_ROW = {
    "or": row("||?x", "ASK {FILTER(?x@)}"),
    "and": row("&&?x", "ASK {FILTER(?x@)}"),
    "or and": row("||?x&&?x", "ASK {FILTER(?x@)}"),
    "plus": row("+?z", "SELECT (?z@ AS ?x) {}"),
    "signed numbers": row("+1", "SELECT (?z@ AS ?x) {}"),
    "times": row("*?z", "SELECT (?z@ AS ?x) {}"),
    "over": row("/?z", "SELECT (?z@ AS ?x) {}"),
    "sequence": row("/<http://p>", "ASK {?s <http://p>@ ?o}"),
    "alternatives": row("|<http://p>", "ASK {?s <http://p>@ ?o}"),
    "negated set": row("|<http://p>", "ASK {?s !(<http://p>@) ?o}"),
    "groups": row("{}", ASK),
    "joined groups": row("{?s ?p ?o}", ASK),
    "UNION": row("{?s ?p ?o} UNION ", "ASK {@{?s ?p ?o}}"),
    "OPTIONAL": row("OPTIONAL{?s ?p ?o}", ASK),
    "MINUS": row("MINUS{?s ?p ?o}", "ASK {?s ?p ?o @}"),
    "GRAPH": row("GRAPH ?g{?s ?p ?o}", ASK),
    "FILTER": row("FILTER(?s=1)", "ASK {?s ?p ?o @}"),
    "EXISTS": row("FILTER EXISTS{?s ?p ?o}", "ASK {?s ?p ?o @}"),
    "EXISTS as arguments": row("EXISTS{?s ?p ?o},", "SELECT (COALESCE(@1) AS ?x) {}"),
    "BIND": row("BIND(1 AS ?x#)", ASK),
    "VALUES": row("VALUES ?x {1}", ASK),
    "sub-select": row("{SELECT * {}}", ASK),
    "dots": row("?s <http://p> 1.", ASK),
    "glued dots": row("?s <http://p> true.", "ASK {@ ?s ?p ?o}"),
    "semicolons": row(";<http://p> 1", "ASK {?s <http://p> 1@}"),
    "commas": row(",1", "ASK {?s <http://p> 1@}"),
    "collection": row("1 ", "ASK {?s <http://p> (@)}"),
    "projection": row("(1 AS ?x#)", "SELECT @ {?s ?p ?o}"),
    "projection in a sub-select": row("(1 AS ?x#)", "ASK {{SELECT ?s @ {?s ?p ?o}}}"),
    "aggregates": row("(COUNT(?s) AS ?x#)", "SELECT @ {?s ?p ?o}"),
    "sum of aggregates": row("+COUNT(?s)", "SELECT (1@ AS ?x) {?s ?p ?o}"),
    "GROUP BY": row("(STR(?s) AS ?x#)", "SELECT (COUNT(*) AS ?c) {?s ?p ?o} GROUP BY @"),
    "ORDER BY": row("STR(?s) ", "SELECT * {?s ?p ?o} ORDER BY @"),
    "HAVING": row("(1=1)", "SELECT (COUNT(*) AS ?c) {?s ?p ?o} GROUP BY ?s HAVING @"),
    "DESCRIBE": row("<http://x/> ", "DESCRIBE @"),
}
ENDLESS = {
    "rows": row("# ", "SELECT * {VALUES ?x {@}}"),
    "rows below zero": row("-# ", "SELECT * {VALUES ?x {@}}"),
    "rows of two": row("(<http://x/#> -1)", "SELECT * {VALUES (?x ?y) {@}}"),
    "arguments": row("'a',", "SELECT (CONCAT(@'a') AS ?x) {}"),
    "IN": row("-#,", "ASK {?s ?p ?o FILTER(?o IN (@1))}"),
    "NOT IN": row("<http://x/i>,", "ASK {?s ?p ?o FILTER(?o NOT IN (@1))}"),
    "blanks": row(" ", ASK),
    "comments": lambda n: "ASK {" + "#{\n" * n + "}",
    "string": row("({[", "ASK {FILTER('@'='b')}"),
    "long name": row("a", "ASK {?s ?@ ?o}"),
    "FROM": row(" ", "SELECT * FROM <http://x/> @ {?s ?p ?o}"),
}


def refused(query: str, limits: Limits | None = None) -> QueryError | None:
    try:
        inspect(query, limits or Limits())
    except QueryError as error:
        return error
    return None


def largest(make: Callable[[int], str], top: int) -> int:
    low, high = 1, top + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(make(middle)) else (middle, high)
    return low


def survives(query: str) -> bool:
    """Whether the engine, in a process of its own, ends with an answer or an exception."""
    code = (
        "import sys, pyoxigraph as ox\n"
        "store = ox.Store()\n"
        "store.update('INSERT DATA {<http://s> <http://p> 1}')\n"
        "try: answer = store.query(sys.stdin.read())\n"
        "except (SyntaxError, RuntimeError, ValueError): sys.exit(0)\n"
        "if isinstance(answer, ox.QuerySolutions): next(answer, None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=query.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode <= 0, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_nesting_is_refused_long_before_the_engine_dies(make: Callable[[int], str]) -> None:
    most = largest(make, 20_000)
    assert 15 <= most <= 128
    assert survives(make(most))
    problem = refused(make(20_000))
    assert problem is not None
    assert problem.hint
    assert problem.where.startswith("line 1, column ")


@pytest.mark.parametrize("make", IN_A_ROW.values(), ids=IN_A_ROW)
def test_chains_are_refused_long_before_the_engine_dies(make: Callable[[int], str]) -> None:
    most = largest(make, 20_000)
    assert 40 <= most <= 1_600
    assert survives(make(most))
    assert "more than" in str(refused(make(20_000)))


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
def test_what_the_engine_takes_in_any_number_passes(make: Callable[[int], str]) -> None:
    inspect(make(10_000))
    assert survives(make(10_000))


def test_everything_at_its_limit_at_once_survives() -> None:
    limits = Limits()
    project = numbered("(1 AS ?x#)", (limits.items - 20) // 2)
    order = "STR(?s) " * ((limits.items - 20) // 4)
    chain = "+?z" * (limits.operators - 200)
    exists = "FILTER(!EXISTS {" * (limits.depth // 2 - 2)
    groups = "OPTIONAL{?s ?p ?o}" * (limits.patterns - limits.depth - 10)
    closing = "})" * (limits.depth // 2 - 2)
    query = f"SELECT {project} {{{groups}{exists}FILTER(?z{chain}){closing}}} ORDER BY {order}"
    inspect(query)
    assert survives(query)


@pytest.mark.parametrize("name", ["calls", "EXISTS", "parentheses", "groups"])
def test_the_engine_still_needs_this(name: str) -> None:
    assert not survives(NESTED[name](20_000))


@pytest.mark.parametrize(
    "query",
    [
        "ASK{SERVICE <http://x/> {}}",
        "ASK{sErViCe <http://x/> {}}",
        "ASK{SERVICE#c\n<http://x/>{}}",
        "ASK{#c\rSERVICE<http://x/>{}\n}",
        "ASK{SERVICE SILENT <http://x/> {}}",
        "ASK{SERVICESILENT<http://x/>{}}",
        "ASK{SERVICE ?x {}}",
        "ASK{?s ?p ?o FILTER EXISTS{SERVICE <http://x/> {}}}",
        "ASK{FILTER(1=1&&!EXISTS{SERVICE <http://x/> {}})}",
        "ASK{{SELECT * {SERVICE <http://x/> {}}}}",
        "ASK{GRAPH <http://x/>{OPTIONAL{SERVICE <http://x/>{}}}}",
        P + "ASK{SERVICE ex:a {}}",
        P + "ASK{SERVICE:a {}}",
        P + "ASK{SERVICESILENT:a{}}",
        P + "ASK{serviceex:a#c\n{}}",
        P + "ASK{?s ?p true.serviceex:a {}}",
        P + "PREFIX service: <http://s/> ASK{service:a {}}",
        "ASK{?s ?p 1SERVICE <http://x/>{}}",
        "ASK{?s ?p 1.SERVICE <http://x/>{}}",
        "ASK{?s ?p 1e5SERVICE <http://x/>{}}",
        "ASK{?s ?p trueSERVICE <http://x/>{}}",
        "ASK{?s ?p ex:.SERVICE <http://x/>{}}",
        "ASK{?s ?p _:b SERVICE <http://x/>{}}",
        "ASK{?s ?p 'a'@en SERVICE <http://x/>{}}",
        "ASK{?s ?p 'a'@en--ltrSERVICE <http://x/>{}}",
        r"ASK{?s ?p 'a\\'SERVICE <http://x/>{}}",
        "ASK{?s ?p '''a'b''c'''SERVICE <http://x/>{}}",
        'ASK{?s ?p (""" ") SERVICE <http://x/>{} }',
        'ASK{?s ?p (""" ") SERVICE <http://x/>{} ?s ?p ("\\q""")}',
        'ASK{?s ?p (""" ") SERVICE <http://x/>{} ?s ?p ("\\uD800""")}',
        r"ASK{\u0053ERVICE <http://x/>{}}",
        r"ASK{\U00000053\u0065rvice <http://x/>{}}",
        r"ASK{?s ?p 'a\u0027. SERVICE <http://x/>{} ?s ?p 'b'}",
        P + "ASK{FILTER(?a<b:c&&'>'=1) SERVICE<http://x/>{} FILTER('a'='b')}",
        P + "ASK{FILTER(?a<b:c#>'''\n) SERVICE<http://x/>{} #'''\n}",
        P + "ASK{FILTER(EXISTS{?s<b:c>?o}<b:c&&'>'=1) SERVICE<http://x/>{} FILTER('a'='b')}",
        "ASK{VALUES(?a ?b){(1<urn:c'>)} SERVICE<http://x/>{} FILTER('a'='b')}",
    ],
)
def test_service_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="SERVICE") as caught:
        inspect(query)
    assert caught.value.hint
    assert caught.value.where


@pytest.mark.parametrize(
    "query",
    [
        "PREFIX service: <http://x/> ASK{service:x ?service $service}",
        "PREFIX service: <http://x/> ASK{GRAPH service:x {?s ?p service:service}}",
        "PREFIX ex: <http://x/> ASK{ex:service ex:%20 ex:a.b . ex:a.b ex:a\\-service ex:1}",
        "ASK{?s <http://x/service> 'SERVICE <http://x/> {}'@en-service}",
        "ASK{?s <urn:service> _:SERVICE # SERVICE <http://x/> {}\n}",
        "ASK{?s ?p '''SERVICE ' '' \\''' ''', \"\"\"SERVICE \" \\\" \"\"\"}",
        "ASK{?s ?p 'not\\'SERVICE', \"not\\\"SERVICE\"}",
        r"ASK{?s <http://x/\u0061> 'caf\u00e9'}",
        "ASK{FILTER(1 < 2 && ?a<?b)}",
        "ASK{FILTER(?a<?b&&?c>?d)} ",
        "ASK{FILTER(?a<(1)&&3>2)}",
        "PREFIX b: <http://b/> ASK{FILTER(?a<b:f(?c)&&?d>3)}",
        "ASK{FILTER(regex(?a, '[({<') && ?a<str(?b) && ?c>?d)}",
        "ASK{FILTER regex(str(?a),'x') FILTER(?a<=?b||?c>=?d)}",
        "SELECT ?g (COUNT(DISTINCT <urn:x#y>) AS ?n){?s<urn:x#y>?a} GROUP BY(?a<?b AS ?g)",
        "ASK{VALUES(?a ?b){(<urn:a#b> <urn:c#(d)>)('x'<urn:c#d>)}}",
        "ASK{?s a (1 <http://x/#a> <urn:b>)}",
        "CONSTRUCT{?s a ?o}WHERE{?s ?p ?o; ?q -1, +2 .}ORDER BY DESC(?a) LIMIT 10",
        "SELECT ?s (1 AS ?x) {} VALUES (?s) {(UNDEF)}",
        "ASK{?s <p>|^<q>/(<r>?|!(<s>|^<t>))* ?o FILTER(?o IN (1, -2) && -?o * 2 != 4)}",
    ],
)
def test_honest_queries_pass(query: str) -> None:
    inspect(query)
    with contextlib.suppress(RuntimeError):  # an unknown function, but the parser liked it
        pyoxigraph.Store().query(query, base_iri="http://base/")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * {VALUES ?x {" + numbered("<http://x/#> ", 10_000) + "}}",
        "SELECT * {VALUES (?x ?y ?z) {" + numbered("(<urn:x:#> '(' -#)\n", 10_000) + "}}",
        "SELECT * {" + numbered("?s <http://x/p#> ?o# .\n", 60) + "}",
        "SELECT * {?s ?p ?o " + numbered("OPTIONAL {?s <http://x/p#> ?o#}\n", 20) + "}",
        "SELECT * {"
        + numbered("?s <http://x/p#> ?o# ; a ?c .\n", 30)
        + numbered("OPTIONAL {?s <http://x/p#> ?o# FILTER(?o# > 1)}\n", 20)
        + "}",
        "SELECT * {?s ?p ?o FILTER(?o IN (" + numbered("<http://x/#>,", 2_000) + "1))}",
        "SELECT * {?s ?p ?o FILTER(?o = '" + "([{!+||<" * 50_000 + "')}",
        "SELECT " + numbered("(SUM(IF(?o = #, 1, 0)) AS ?n#) ", 50) + "{?s ?p ?o} GROUP BY ?s",
        "SELECT * {" + " UNION ".join(["{?s a ?o . ?s <p> ?q}"] * 30) + "}",
        "SELECT * {?s ?p ?o FILTER(" + " || ".join(["?o = 'a'"] * 500) + ")}",
    ],
    ids=lambda query: f"{query[:24]}… {len(query)}",
)
def test_big_honest_queries_pass(query: str) -> None:
    inspect(query)


def test_the_canned_queries_pass_with_room_to_spare(root: Path) -> None:
    tighter = Limits(depth=32, operators=400, items=150, patterns=96, tokens=5_000)
    for path in (root / "src" / "medbench_kg" / "queries").glob("*.rq"):
        inspect(path.read_text(encoding="utf-8"), tighter)


@pytest.mark.parametrize(
    "query",
    ["", "nonsense", "ASK {?s ?p 'open}", 'ASK {?s ?p """open}', "ASK {?s ?p <open}", "))]}}", "²"],
)
def test_what_the_parser_says_better_is_left_to_it(query: str) -> None:
    inspect(query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ASK {\n  ?s \0 ?o}", r"line 2, column 6: .*NUL"),
        ("ASK {\n\n SERVICE <x> {}}", r"line 3, column 2: SERVICE"),
        ("ASK {FILTER ex:f(?x<b:c'>'a')}", r"line 1, column 20: “<b:c'>” can be read"),
        ("ASK {" + " " * 1_000_000 + "}", r"1,000,006 bytes; 1,000,000 are allowed"),
    ],
    ids=["NUL", "SERVICE", "two readings", "bytes"],
)
def test_errors_say_where_and_what(query: str, expected: str) -> None:
    with pytest.raises(QueryError) as caught:
        inspect(query)
    assert re.search(expected, str(caught.value))
    assert caught.value.hint


def test_limits_can_be_set() -> None:
    assert refused("ASK {{{}}}", Limits(depth=2))
    assert not refused("ASK {{{}}}", Limits(depth=3))
    assert refused("ASK {é}", Limits(max_bytes=7))


HOSTILE = {
    "digits": "1 ",
    "letters": "a",
    "dotted": "a.",
    "dots": ".",
    "colons": "a:",
    "words": "a b ",
    "less than": "<",
    "open IRIs": "<a",
    "open IRIs after terms": "?a<a ",
    "IRIs": "<a>",
    "quotes": "'",
    "double quotes": '"',
    "quotes and breaks": "'\n",
    "long quotes": "\"\"\" ''' ",
    "escaped quotes": "'''\\'",
    "escaped double quotes": '"""\\"" ',
    "strings and long strings": "'a' ''' \" ",
    "backslashes": "\\",
    "escapes": "\\u0061 ",
    "escaped percent": "a:%20.",
    "comments": "#\n",
    "blank": " ",
    "question marks": "?",
    "commercial at": "@a-",
    "brackets": "(){}[]",
    "signs": "+1",
    "services": "a:service ",
    "service names": "service:x # \n",
    "exponents": "1e",
    "mixed": "?a<b:c&&'>' ",
}


@pytest.mark.parametrize("start", ["ASK{VALUES ?x{", "ASK{FILTER("])
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear(piece: str, start: str) -> None:
    endless = Limits(*[10**9] * 7)

    def seconds(size: int) -> float:
        query = start + piece * (size // len(piece))
        best = 9.0
        for _ in range(2):
            began = time.process_time()
            refused(query, endless)
            best = min(best, time.process_time() - began)
        return best

    assert seconds(100_000) <= 20 * max(seconds(10_000), 0.002)
    began = time.process_time()
    refused(start + piece * (999_900 // len(piece)))
    assert time.process_time() - began < 1.0  # measured: 0.4 s at most


SOUP = [
    *("?s", "?p", "?o", " ", "\n", ".", ";", ",", "(", ")", "{", "}", "[", "]", "<b:c", "<b:c'>"),
    *("<b:c#", ">", "<", "<<", "<<(", ")>>", "'", "'''", '"', '"""', "'a'", "\\", "#", "# x\n"),
    *("ex:a", "b:", ":a", "true", "1", "1.", "-1", "a", "&&", "||", "=", "!", "*", "^", "?", "\\q"),
    *("FILTER(", "FILTER(?a<b:c&&", "EXISTS{", "OPTIONAL{", "VALUES ?x{", "VALUES(?x ?y){(", "@en"),
    *("BIND(", " AS ?x)", "SELECT*{", "SELECT ?x(", "regex(", "FILTER ex:f(", "?s ?p (", "?s ?p "),
    *(CALL, CALL, " SERVICE:a{}", "serviceex:a{}", "SERVICE#\n:a{}", "\\u0053ERVICE:a{}"),
]
SHELLS = [
    "@",
    "FILTER(?a<b:c@) FILTER('a'='b')",
    "?s ?p (@) " + CALL + " ?s ?p ('a')",
    "FILTER(?a<b:c&&@'>'='a') " + CALL + " FILTER('a'='b')",
    "FILTER(?a<@>'a') " + CALL + " FILTER('a'!='b')",
    "FILTER(?a = <<( ?s <b:c@'> ?o )>> ) " + CALL + " FILTER('a'='b')",
    "{SELECT ?x @ {?s ?p ?x @} GROUP BY ?x (?x<b:c@ AS ?z)} " + CALL,
    "VALUES (?x ?y) {(1 @)('a'<b:c'>)} " + CALL + " FILTER('a'='b')",
    '?s ?p (""" @") ' + CALL + ' ?s ?p ("a@""")',
    "?s ?p 1@" + CALL,
]


def test_the_engine_never_calls_what_passed() -> None:
    """Seeded soup: whenever the engine gets as far as calling, the guard has refused."""
    random_ = random.Random(20261122)  # noqa: S311
    store, calls = pyoxigraph.Store(), 0
    for _ in range(20_000):
        shell = random_.choice(SHELLS)
        while "@" in shell:
            filling = "".join(random_.choices(SOUP, k=random_.randint(0, 4))).replace("@", "\0")
            shell = shell.replace("@", filling, 1)
        query = P + "SELECT * {" + shell.replace("\0", "@") + "}"
        try:
            answer = store.query(query)
            if isinstance(answer, pyoxigraph.QuerySolutions):
                next(answer, None)
        except OSError:
            calls += 1
            assert refused(query), query
        except (SyntaxError, RuntimeError, ValueError):
            continue
    assert calls > 500


def test_a_short_text_gets_the_verdict_of_a_long_one() -> None:
    """Seeded soup again: blanks at the end, which rule the quick look out, change nothing."""
    random_ = random.Random(20261123)  # noqa: S311
    limits = Limits(depth=8, row=12, operators=400, items=12, patterns=12)
    verdicts: Counter[bool] = Counter()
    for _ in range(20_000):
        filling = "".join(random_.choices(SOUP, k=random_.randint(0, 16)))
        query = random_.choice(["ASK {@}", "SELECT @ {?s ?p ?o}", "ASK {FILTER(@)}"])
        query = query.replace("@", filling)
        passed = not refused(query, limits)
        assert passed == (not refused(query + " " * 400, limits)), query
        verdicts[passed] += 1
    assert min(verdicts.values()) > 2_000
