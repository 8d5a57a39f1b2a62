"""Whatever is handed in: SplError, or an answer. Never another exception."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responders.content.spl import Context, Macro, SplError, parse, run

MACROS = {"m": Macro("m", "a=$x$", ("x",))}
WORDS = st.sampled_from([
    "index", "=", "|", "stats", "eval", "where", "streamstats", "count", "by", "(", ")", '"', "'", "a", "b{}.c",
    ",", "*", "!=", "NOT", "AND", "OR", "IN", "`m(1)`", "`", "lookup", "t", "OUTPUT", "rex", "AS", "5", "-", "\n",
    ".", "sort", "0", "if", "case", "match", "time_window=5m", "window=2", "eval(", "[", "]", "\\", "$", "é",
])  # fmt: skip
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(
    st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=20).map(" ".join), st.lists(WORDS, max_size=20).map("".join))
)
def test_parsing_raises_nothing_but_spl_errors(text):
    """Arbitrary text is read or refused with a place and a remedy."""
    caught = None
    try:
        parse(text, MACROS)
    except SplError as error:
        caught = error
    assert caught is None or (caught.line >= 1 and caught.column >= 1 and caught.remedy)


@SETTINGS
@given(st.text(max_size=80), st.text(max_size=20))
def test_macro_expansion_raises_nothing_but_spl_errors(definition, argument):
    """Arbitrary definitions and arguments, too."""
    macros = {"m": Macro("m", definition, ("x",)), "n": Macro("n", definition)}
    for call in (f"`m({argument})`", "`n` | `n`"):
        try:
            parse(call, macros)
        except SplError:
            continue


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1e400", "-0", "1" * 400]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c", "x.y"]), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(["_time", "a", "b", "c", "index", "_raw", "b{}.c"]), JSON, max_size=6)
EVENT = st.builds(lambda raw, fields: {"index": "main", "_time": 5, "_raw": json.dumps(raw), **fields}, JSON, FIELDS)

SEARCHES = [
    "a=* OR NOT b>3 | eval k=lower(a), s=a+b, t=a*b, c2=a.b, l=len(a), r=round(a,b), x=substr(a,b,c), n=tonumber(a,16)",
    'index=* | eval z=strftime(a,"%F %T.%3N %e %Z %s"), y=relative_time(a,"-1mon@q"), w=relative_time(a,b)',
    'index=* | eval p=strptime(a,"%Y"), h=tostring(a,"hex"), d=tostring(a,"duration"), o=tostring(a,"commas")',
    'index=* | eval q=pow(a,b), e=exp(a), g=log(a,b), j=json_extract(_raw,"a.b{}.c"), o=json_object("a",a,"b",b)',
    "index=* | eval i=mvindex(a,b,c), v=mvzip(a,b), u=mvrange(a,b,c), w=mvmap(a,b.a), f=mvfilter(a>1), s=mvsort(a)",
    'index=* | where match(a,"x+") OR cidrmatch(a,b) OR like(a,"%1%") OR a<b OR in(a,b,c) | mvexpand a | dedup a b',
    "index=* | stats count sum(a) avg(a) min(a) max(a) range(a) median(a) stdev(a) values(b)",
    "index=* | stats list(c) mode(a) earliest(a) latest(b) first(a) last(c)",
    "index=* | stats dc(*) AS d*, perc95(a) by b, b{}.c",
    "index=* | streamstats window=2 sum(a) min(a) max(b) values(c) stdev(a) earliest(a) by b",
    "index=* | eventstats avg(a) stdevp(b) by c | streamstats sum(a) AS s reset_on_change=t by b",
    "index=* | streamstats time_window=5m count values(a) AS v",
    "index=* | bin span=7 a | bin span=5m _time | bin span=1mon _time AS m | sort 0 -a, str(b), ip(c) | fillnull",
    'index=* | rex field=a max_match=0 "(?<k>.)(?<q>\\d)?" | spath input=a | spath path=a{}.b{0}',
    "index=* | rename a* AS z*, b AS a | table *",
    "index=* | lookup t a OUTPUTNEW b AS q | lookup t a b",
    "index=* | outputlookup append=t key_field=a t | inputlookup append=t t where a=1",
    'a IN (1, x*, 10.0.0.0/8) 1e4 "a" | head 3 | fields - b* | search c!=5 NOT a=*',
]


@SETTINGS
@given(st.lists(EVENT, max_size=5), st.sampled_from(SEARCHES), st.lists(FIELDS, max_size=3))
def test_running_raises_nothing_but_spl_errors(events, search, table):
    """Arbitrary JSON as events and as lookup rows gives rows of plain values, or SplError."""
    try:
        rows = run(search, events, Context({}, {"t": table}, 1_700_000_000.0, max_rows=10_000))
    except SplError:
        return
    for row in rows:
        for value in row.values():
            assert isinstance(value, (str, int, float, list))
            assert not isinstance(value, bool)
            if isinstance(value, list):
                assert len(value) > 1
                assert all(isinstance(item, (str, int, float)) for item in value)


@settings(SETTINGS, max_examples=20)
@given(st.integers(min_value=1, max_value=3000), st.sampled_from(["(", "NOT ", "lower("]))
def test_deep_nesting_is_an_error_not_a_crash(depth, opener):
    """Nesting too deep for the interpreter is refused."""
    for search in (
        f"index=main | where {opener * depth}a=1",
        opener * depth + "a=1" + ")" * depth,
        "NOT " * depth + "a=1",
    ):
        try:
            run(search, [{"_raw": "", "index": "main"}], Context({}, {}, 0.0))
        except SplError:
            continue
