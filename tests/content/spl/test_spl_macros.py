"""Macros and comments: Knowledge Manager Manual, "Use search macros in searches"; places in errors."""

from __future__ import annotations

import pytest

from responders.content.spl import Macro, SplError, parse

MACROS = {
    "okta": Macro("okta", "index=main sourcetype=json"),
    "with": Macro("with", "`okta` user=$user$ n>$least$", ("user", "least")),
    "is(1)": Macro("is(1)", 'eval got="$x$"', ("x",)),
    "is(2)": Macro("is(2)", 'eval got="$x$-$y$"', ("x", "y")),
    "list": Macro("list", "user IN ($users$)", ("users",)),
    "filter": Macro("filter", "search *"),
    "loop": Macro("loop", "`pool`"),
    "pool": Macro("pool", "`loop`"),
    "broken": Macro("broken", "where foo(1)"),
    "table": Macro("table", "| inputlookup seen"),
}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("`okta`", 2),
        ("`okta` | `filter`", 2),
        ("`with(alice, 3)`", 1),
        ('`with("alice", 3)`', 1),
        ('`list("alice, bob")`', 2),
        ('`list("alice")`', 1),
        ("`okta` ```all of them | head 0``` user=bob", 1),
        ("`table`", 1),
    ],
)
def test_macros_expand(spl, event, search, found):
    """Macros nest, take arguments, may hold commas between quotes; comments vanish."""
    events = [event(user="alice", n=5), event(user="bob", n=1)]
    assert len(spl(search, events, macros=MACROS, lookups={"seen": [{"a": 1}]})) == found


def test_a_macro_is_chosen_by_its_number_of_arguments(spl, event):
    """name(1) and name(2) are two macros."""
    assert spl("index=main | `is(a)`", [event()], macros=MACROS)[0]["got"] == "a"
    assert spl("index=main | `is(a, b)`", [event()], macros=MACROS)[0]["got"] == "a-b"


def test_a_backtick_inside_quotes_is_text(spl, event):
    """No macro is expanded inside double quotes."""
    assert spl('index=main | eval got="`okta`"', [event()], macros=MACROS)[0]["got"] == "`okta`"


@pytest.mark.parametrize(
    ("search", "place", "word"),
    [
        ("index=main\n| eval a=1,\n  b=foo(a)", (3, 5), "foo"),
        ("`okta`\n| stats count\n| tstats x", (3, 3), "tstats"),
        ("`okta` | `broken`", (1, 10), "foo"),
        ("`okta` `with(a, 1)` | eval x=`okta`", (1, 30), "unexpected|joins|condition|truth"),
        ("`absent`", (1, 1), "unknown macro 'absent'"),
        ("a=1 `with(x)`", (1, 5), "takes 2 argument"),
        ("`loop`", (1, 1), "calls itself"),
        ("`okta", (1, 1), "backtick"),
        ("`a b`", (1, 1), "not a macro call"),
        ("```x``` index=main | zz", (1, 22), "zz"),
    ],
)
def test_errors_name_the_place_in_the_text_as_written(search, place, word):
    """Line and column count in the search before its macros are expanded."""
    with pytest.raises(SplError, match=word) as caught:
        parse(search, MACROS)
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.remedy


def test_fields_read():
    """The fields a search takes from the events, without those it makes itself."""
    search = parse(
        "index=main user=a (x=1 OR NOT 'y'=2)".replace("'", '"')
        + ' | eval k=lower(\'actor.id\'), m=k."x" | lookup t a AS k OUTPUT b | where b="1" AND z>1'
        + " | stats dc(ip) AS ips count(eval(q=1)) AS n by k | where ips>n AND other=1"
    )
    assert search.fields_read() == {"index", "user", "x", "y", "actor.id", "z", "ip", "q"}
    renamed = parse("index=main | rename user.* AS u_* | where u_id=1 AND other=2 | table u_*, kept*")
    assert renamed.fields_read() == {"index", "user.*", "other", "kept*"}
