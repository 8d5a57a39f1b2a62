"""The values that searches compare fields with: found in SPL and ES|QL, and each known."""

from __future__ import annotations

from dataclasses import replace
from typing import Set, Tuple

import pytest

from responders.content.alternatives import alternatives, has_words
from responders.content.elastic.esql import steps
from responders.content.elastic.query import load_elastic_macros
from responders.content.literals import compared, spl_steps
from responders.content.loader import load_macros
from responders.content.spl import parse
from responders.content.values import unknown_values
from responders.errors import BadDetection
from tests import shipped

MACROS, ELASTIC = load_macros(), load_elastic_macros()


def test_every_value_is_known() -> None:
    """What a detection compares a log's field with, in the SPL and in the ES|QL, is in facts/."""
    assert [str(error) for error in unknown_values(shipped.detections(), MACROS, ELASTIC)] == []


@pytest.mark.parametrize(
    ("slug", "engine", "old", "new", "told"),
    [
        ("entra/risky_identity", "splunk", "nationstateip", "nationstatips", "nationstatips"),
        ("entra/risky_identity", "elastic", "nationstateip", "nationstatips", "nationstatips"),
        ("entra/device_code_phishing", "splunk", '"devicecode"', '"devicecodes"', "devicecodes"),
        ("entra/device_code_phishing", "elastic", '"devicecode"', '"devicecodes"', "devicecodes"),
        ("vault/root_token", "elastic", "sys/generate-root", "sys/generate-roots", "sys/generate-roots"),
        ("kubernetes/service_account_outside_cluster", "splunk", '"selfsubjectrulesreviews"', '"selfrules"', "selfrules"),
    ],
)
def test_a_misspelt_value_is_told(slug: str, engine: str, old: str, new: str, told: str) -> None:
    """A value, or one alternative of a regex, that no facts have is an error with its field and what to do."""
    one = next(detection for detection in shipped.detections() if detection.slug == slug)
    if engine == "splunk":
        assert old in one.splunk
        wrong = replace(one, splunk=one.splunk.replace(old, new))
    else:
        assert old in one.elastic.query
        wrong = replace(one, elastic=replace(one.elastic, query=one.elastic.query.replace(old, new)))
    (error,) = unknown_values([wrong], MACROS, ELASTIC)
    assert error.message.startswith(f"{engine}: ")
    assert told in error.message
    assert "responders/content/facts/" in error.remedy


def found(steps_: object) -> Set[Tuple[str, str]]:
    """(field, text) of all that steps compare."""
    return {(field, one.text) for one in compared(steps_) for field in one.flow.fields}  # type: ignore[arg-type]


def test_values_are_followed_through_columns_of_spl() -> None:
    """A column that is made of a field, renamed, aggregated or taken apart is compared as the field; what the search itself
    put in is no value of the log."""
    text = """search a="x" b="y*"
    | eval tq_low=lower(c), tq_kind=if(tq_low=="made", "own", d) | rename e as tq_e | stats values(tq_e) as tq_all by f
    | where tq_kind=="own" OR in(tq_all, "p", "q") OR match(f, "^r") OR len(g)=="3" OR h>"4\""""
    assert found(spl_steps(parse(text))) == {
        ("a", "x"), ("b", "^y.*$"), ("c", "made"), ("d", "own"), ("e", "p"), ("e", "q"), ("f", "^r"),
    }  # fmt: skip
    (kind,) = (one for one in compared(spl_steps(parse(text))) if one.text == "own")
    assert "own" in kind.flow.texts


def test_values_are_followed_through_columns_of_esql() -> None:
    """So in ES|QL: CASE, CONCAT, STATS … BY, DISSECT, LIKE, RLIKE, STARTS_WITH, LOCATE, IN and KQL; comments hold none."""
    query = """FROM logs-x METADATA _id // a == "comment | not a pipe"
    | EVAL tq_a = CASE(a == "x", "own", TO_LOWER(b)), tq_b = CONCAT(c, "|")
    | WHERE tq_a IN ("own", "p") AND tq_b LIKE "*q?" AND NOT d RLIKE "(r|s)\\\\.t" AND e.`0`.f IS NOT NULL
    | STATS tq_m = MAX(tq_a), n = COUNT(*) WHERE KQL("g.h: true") BY tq_k = MV_FIRST(SPLIT(i, ","))
    | DISSECT tq_k "%{tq_one}-%{?tq_two}"
    | WHERE tq_one == "u" AND STARTS_WITH(j, "v") AND LOCATE(k, "w") > 0 AND n > 5 AND l + 1 == 2 days
    | LIMIT 5"""
    assert found(steps(query)) == {
        ("a", "x"), ("b", "own"), ("b", "p"), ("c", "^.*q.$"), ("d", "^(?:(r|s)\\.t)$"), ("g.h", "true"), ("i", "u"),
        ("j", "^v"), ("k", "w"), ("l", "2"),
    }  # fmt: skip


def test_what_can_not_be_read_is_told() -> None:
    """An expression that the reader does not know is an error with its text, never passed over."""
    with pytest.raises(BadDetection, match="can't read 'a ==="):
        list(steps("FROM x | WHERE a === 1"))


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("(?i)^abc$", [("^abc$", "^abc$")]),
        ("^(a(b|c)d|ef)$", [("b", "^(a(b)d)$"), ("c", "^(a(c)d)$"), ("ef", "^(ef)$")]),
        ("x(?!y|z)(q|[|)])", [("q", "x(?!y|z)(q)"), ("[|)]", "x(?!y|z)([|)])")]),
        (r"\(aa|b\|b", [(r"\(aa", r"\(aa"), (r"b\|b", r"b\|b")]),
    ],
)
def test_a_pattern_is_taken_apart(pattern: str, parts: object) -> None:
    """Each alternative stands alone, and so do those around it; classes and escapes hide no bars."""
    assert list(alternatives(pattern)) == parts


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"^\d+\.\d+$", False),
        ("[0-9a-fA-F-]{36}", False),
        ("^f[cd][0-9a-f]{2}:", False),
        ("(?:^|_)rm", True),
        ("^AKIA", True),
    ],
)
def test_forms_hold_no_words(pattern: str, words: bool) -> None:
    """Digits, classes and punctuation are a form, which no document needs to name; two letters on end are a word."""
    assert has_words(pattern) is words
