"""eval and where: Search Reference, "eval", "where", "Evaluation functions"."""

from __future__ import annotations

import hashlib
import math

import pytest

from responders.content.spl import SplError

FIELDS = {
    "n": 5,
    "f": 1.50,
    "word": "Alpha",
    "digits": "10",
    "empty": "",
    "nothing": None,
    "yes": True,
    "actor": {"id": "00u1"},
    "list": [{"k": "x", "v": 1}, {"k": "y", "v": 2}],
    "ip": "192.0.2.7",
    "doc": '{"a":{"b":[1,2,{"c":"d"}]},"t":true,"n":null,"big":12345678901234567890}',
}
GIVEN = {"mv": ["b", "a", "b"], "nums": [3, 1, 2]}

TABLE = [
    # Literals, names, arithmetic.
    ("n+1", 6),
    ("n/2", 2.5),
    ("n*2", 10),
    ("7%n", 2),
    ("n/0", None),
    ("-n", -5),
    ("2+3*4", 14),
    ("(2+3)*4", 20),
    ("digits+1", 11),
    ("word+1", None),
    ("word+word", "AlphaAlpha"),
    ("absent+1", None),
    ("'actor.id'", "00u1"),
    # Concatenation: "." joins texts and numbers; null makes null.
    ('word."-".n', "Alpha-5"),
    ("n . n", "55"),
    ("word.absent2", SplError),
    ('word." ".absent', None),
    # Conditional functions.
    ('if(n=5,"y","n")', "y"),
    ('if(absent=5,"y","n")', "n"),
    ('if(NOT absent=5,"y","n")', "y"),
    ('if(absent!=5,"y","n")', "n"),
    ('case(n=1,"one",n=5,"five")', "five"),
    ('case(n=1,"one")', None),
    ('case(n=1,"one",true(),"else")', "else"),
    ("coalesce(absent,word)", "Alpha"),
    ('nullif(word,"Alpha")', None),
    ("nullif(word,1)", "Alpha"),
    ('if(isnull(absent) AND isnotnull(n),"y","n")', "y"),
    ('if(isnull(empty),"y","n")', "n"),
    # JSON null is extracted as the text "null"; booleans as lower-case text.
    ("nothing", "null"),
    ("yes", "true"),
    ("f", "1.5"),
    # Comparisons: as numbers when both look like it, else as text with its case.
    ('if(digits>9,"y","n")', "y"),
    ('if("abc"<"abd","y","n")', "y"),
    ('if(word="alpha","y","n")', "n"),
    ('if(word=="Alpha","y","n")', "y"),
    ('if(mv="a","y","n")', "y"),
    ('if(n IN (1,5),"y","n")', "y"),
    ('if(in(word,"Alpha","Beta"),"y","n")', "y"),
    ('if(word LIKE "Al%","y","n")', "y"),
    ('if(like(word,"al%"),"y","n")', "n"),
    ('if(like(word,"_lpha"),"y","n")', "y"),
    ('if(match(word,"^Al"),"y","n")', "y"),
    ('if(match(word,"(?i)^al"),"y","n")', "y"),
    ('if(match(mv,"^a$"),"y","n")', "y"),
    ('if(match(absent,"x"),"y","n")', "n"),
    ('if(cidrmatch("192.0.2.0/24",ip),"y","n")', "y"),
    ('if(cidrmatch("192.0.3.0/24",ip),"y","n")', "n"),
    ('if(cidrmatch("2001:db8::/32","2001:db8::1"),"y","n")', "y"),
    ('if(searchmatch("word=alpha n=5"),"y","n")', "y"),
    # AND binds tighter than OR, NOT tighter than both.
    ('if(n=5 OR n=1 AND n=2,"y","n")', "y"),
    ('if((n=5 OR n=1) AND n=2,"y","n")', "n"),
    ('if(NOT n=5 OR n=5,"y","n")', "y"),
    ('if(n=5 XOR n=5,"y","n")', "n"),
    # Text.
    ("lower(word)", "alpha"),
    ("upper(mv)", ["B", "A", "B"]),
    ("len(word)", 5),
    ('replace(word,"l(p)","<\\1>")', "A<p>ha"),
    ("substr(word,1,2)", "Al"),
    ("substr(word,-2)", "ha"),
    ("substr(word,2,3)", "lph"),
    ('trim("  x ")', "x"),
    ('ltrim("xxy","x")', "y"),
    ('rtrim("yxx","x")', "y"),
    ('split("a,b,c",",")', ["a", "b", "c"]),
    ('urldecode("a%20b")', "a b"),
    # Conversion.
    ('tonumber("ff",16)', 255),
    ('tonumber("0x1F",16)', 31),
    ('tonumber("x")', None),
    ('tonumber("10")', 10),
    ('tostring(1234567.891,"commas")', "1,234,567.89"),
    ('tostring(15,"hex")', "0xF"),
    ('tostring(615,"duration")', "00:10:15"),
    ('tostring(90061,"duration")', "1+01:01:01"),
    ("tostring(n=5)", "True"),
    # Mathematics; angles are radians.
    ("round(2.5)", 3),
    ("round(1.005,1)", 1),
    ("round(3.14159,2)", 3.14),
    ("floor(1.9)", 1),
    ("ceiling(1.1)", 2),
    ("abs(-3)", 3),
    ("pow(2,10)", 1024),
    ("sqrt(16)", 4),
    ("sqrt(-1)", None),
    ("log(100)", 2),
    ("log(8,2)", 3),
    ("ln(exp(1))", 1),
    ("round(sin(pi()/2),6)", 1),
    ("round(atan2(1,1),6)", round(math.pi / 4, 6)),
    ("round(acos(0),6)", round(math.pi / 2, 6)),
    ("max(1,3,2)", 3),
    ('max(1,"a")', "a"),
    ("min(nums)", 1),
    # Time; the zone is UTC.
    ("now()", 1_700_000_000),
    ('strftime(0,"%Y-%m-%dT%H:%M:%S.%3NZ")', "1970-01-01T00:00:00.000Z"),
    ('strftime(1.5,"%F %T.%6N")', "1970-01-01 00:00:01.500000"),
    ('strptime("2024-02-29T12:00:00.123Z","%Y-%m-%dT%H:%M:%S.%3NZ")', 1709208000.123),
    ('strptime("2024-02-29T12:00:00+0100","%Y-%m-%dT%H:%M:%S%z")', 1709204400),
    ('strptime("2024-01-01T00:00:00.1234567Z","%Y-%m-%dT%H:%M:%S.%QZ")', 1704067200.123456),
    ('strptime("x","%Y")', None),
    ('relative_time(90061,"-1h@h")', 86400),
    ('relative_time(90061,"@d")', 86400),
    ('relative_time(1700000000,"@w1")', 1699833600),
    ('relative_time(1700000000,"-1mon@mon")', 1696118400),
    # Cryptographic.
    ('sha256("a")', hashlib.sha256(b"a").hexdigest()),
    ('md5("a")', "0cc175b9c0f1b6a831c399e269772661"),
    # JSON.
    ('json_extract(doc,"a.b{1}")', 2),
    ('json_extract(doc,"a.b{2}.c")', "d"),
    ('json_extract(doc,"a.b{}")', '[1,2,{"c":"d"}]'),
    ('json_extract(doc,"t")', "true"),
    ('json_extract(doc,"zz")', None),
    ('json_object("k",1,"m",mv)', '{"k":1,"m":["b","a","b"]}'),
    ('json_array(1,"x")', '[1,"x"]'),
    ('spath(doc,"a.b{}")', ["1", "2", '{"c":"d"}']),
    ('spath(doc,"big")', "12345678901234567890"),
    ('if(json_valid(doc),"y","n")', "y"),
    # Multivalue.
    ("mvcount(mv)", 3),
    ("mvcount(word)", 1),
    ("mvcount(absent)", None),
    ("mvindex(mv,0)", "b"),
    ("mvindex(mv,-1)", "b"),
    ("mvindex(mv,0,1)", ["b", "a"]),
    ("mvindex(mv,5)", None),
    ("mvdedup(mv)", ["b", "a"]),
    ("mvsort(mv)", ["a", "b", "b"]),
    ('mvjoin(mv,"|")', "b|a|b"),
    ("mvappend(mv,word)", ["b", "a", "b", "Alpha"]),
    ("mvzip('list{}.k','list{}.v',\"=\")", ["x=1", "y=2"]),
    ('mvfilter(mv="a")', "a"),
    ('mvfilter(match(mv,"z"))', None),
    ('mvmap(mv,mv."!")', ["b!", "a!", "b!"]),
    ('mvfind(mv,"a")', 1),
    ("mvrange(1,4)", [1, 2, 3]),
    ("typeof(n)", "Number"),
    ("typeof(word)", "String"),
    ("typeof(absent)", "Invalid"),
]


@pytest.mark.parametrize(("expression", "expected"), TABLE)
def test_value_of_an_expression(evaluate, expression, expected):
    """Each expression gives the value that the Search Reference's page of its function states."""
    if expected is SplError:
        with pytest.raises(SplError):
            evaluate(expression, GIVEN, **FIELDS)
    else:
        assert evaluate(expression, GIVEN, **FIELDS) == expected


def test_a_field_with_a_dot_needs_quotes(evaluate):
    """actor.id would join two fields: the error says how to write the field."""
    with pytest.raises(SplError, match=r"'actor\.id'"):
        evaluate("actor.id", **FIELDS)


@pytest.mark.parametrize(
    ("search", "kept"),
    [
        ("where n=5", True),
        ('where word="alpha"', False),
        ("where absent=1", False),
        ("where NOT absent=1", True),
        ("where absent!=1", False),
        ("where isnull(absent)", True),
        ('where like(word,"A%") AND n>4', True),
        ("where 'actor.id'=\"00u1\"", True),
        ("where n = digits", False),
        ("where if(n=5,true(),false())", True),
    ],
)
def test_where_keeps_rows_for_which_the_condition_is_true(spl, event, search, kept):
    """Null is not true; comparison of two fields works; case counts."""
    assert bool(spl(f"index=main | {search}", [event(**FIELDS)])) == kept


def test_eval_sees_its_earlier_fields_and_null_takes_a_field_away(spl, event):
    """Assignments run left to right; null() removes."""
    row = spl('index=main | eval a=1, b=a+1, n=null(), "c d"=b', [event(n=1)])[0]
    assert (row["a"], row["b"], row["c d"]) == (1, 2, 2)
    assert "n" not in row


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("foo(1)", "unknown function 'foo'"),
        ("isnull(n)", "truth value"),
        ("n=5", "truth value"),
        ("if(n,1,2)", "condition"),
        ("lower()", "argument"),
        ("case(n=1)", "2 or more"),
        ("case(n=1,2,n=3)", "pairs"),
        ("match(n,word)", "pattern as a string"),
        ('if(match(n,"("),1,2)', "regex"),
        ('if(match(n,"a\\\\Kb"),1,2)', "regex"),
        ("true", r"true\(\)"),
        ('n."a"+1', "unexpected"),
        ("target{}.id", "single quotes"),
        ("mvmap(1,2)", "field"),
        ("mvfilter(n=word)", "one field"),
        ("n AND 1", "condition"),
        ('"open', "double quote"),
        ("1 +", "ends too early"),
        ("5m", "unexpected"),
        ('relative_time(n,"-1fortnight")', "can't read"),
        ('strftime(n,"%E")', "can't read"),
        ('json_extract(n,"a..{x}")', "can't read"),
    ],
)
def test_what_an_expression_refuses(evaluate, expression, word):
    """Unknown names and what Splunk would refuse are errors at parse time."""
    with pytest.raises(SplError, match=word):
        evaluate(expression)
