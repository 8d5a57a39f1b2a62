"""Who uses what, as logs show it: the same from every SIEM and file, counted once, bounded, told, and deciding nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from responders.content.elastic.runner import ElasticRun
from responders.content.elastic.server import Server
from responders.content.forms import to_splunk
from responders.content.loader import load_macros
from responders.content.spl import Context, run
from responders.content.usage import OBJECTS, Question, load_questions, questions
from responders.errors import BadInput
from responders.inventory.describing import InUse, Use, describe, in_words
from responders.inventory.files import read_inventory
from responders.inventory.observation import Observed, Seen
from responders.inventory.resolve import Inventory, from_compiled
from responders.inventory.sync.compile import compile_inventory, joins_file
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.usage import DAY, Usage, added, of_tenants, recent, usage_of
from responders.inventory.sync.usage_elastic import from_elastic
from responders.inventory.sync.usage_events import Lines, from_events
from responders.inventory.sync.usage_store import THINGS_OF_ONE, UsageStore
from responders.inventory.sync.vault_audit import read_usage
from responders.model import Account
from responders.policy.policy import from_compiled as policy_from_compiled
from responders.surfaces.command_line.main import main
from responders.surfaces.command_line.policies import DEFAULT
from tests.inventory_sync import usage_events as logs
from tests.inventory_sync.company import Company
from tests.inventory_sync.test_inventory import of, person, target
from tests.splunkd.jobs import TOKEN, JobServer

BEGIN = 20_600 * DAY + 3600.0
"""An hour after a midnight of UTC, in 2026."""
Key = Tuple[str, str, str]


def lately() -> float:
    """A time within the last hours whose next quarter of an hour is of the same day, and over."""
    at = float(int(datetime.now(timezone.utc).timestamp()) - 3600)
    return at if int(at // DAY) == int((at + 900) // DAY) else at - 3600


def keys(uses: Iterable[Usage]) -> Set[Key]:
    return {(use.account, use.what, use.object) for use in uses}


def shown(question: Question) -> Set[Key]:
    return {key for key in logs.SHOWN if key[0].startswith(f"{question.name}:")}


def events_of(question: Question, events: Sequence[logs.Event]) -> List[Any]:
    return [event for source, event in events if source in question.events]


# -- the questions ---------------------------------------------------------------------------------------------------


def test_the_questions_are_generated() -> None:
    """What ships is what detections/usage.yaml says."""
    assert questions() == load_questions()


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_a_file_of_events_shows_what_is_used(question: Question, tmp_path: Path) -> None:
    """Every use once for each event; refusals, people at Entra, and what has no name show none. Other lines are counted."""
    path = tmp_path / "events.ndjson"
    lines = [json.dumps(event) for event in events_of(question, logs.day(BEGIN))]
    path.write_text("\n".join([*lines, "no json", "[1]"]) + "\n")
    read = Lines()
    found = list(from_events(path, question, read))
    assert keys(found) == shown(question) and shown(question)
    assert all(use.count == (4 if use.what == "session" else 2) for use in found) and {use.day for use in found} == {20_600}
    assert (read.read, read.bad) == (len(lines) + 2, 2)


@pytest.mark.engine("elasticsearch")
def test_elasticsearch_and_splunk_say_the_same(elasticsearch_url: str) -> None:
    """Over the same events the ES|QL on the real server and the SPL by its evaluator give the same uses, counts and times;
    a day is whole, another day's events are not in it, and what came in long after its time shows nothing."""
    macros = load_macros()
    with ElasticRun(elasticsearch_url, ()) as engine, Server(elasticsearch_url) as server:
        at = lately()
        day, events = int(at // DAY), logs.day(at)
        engine.add([*events, *logs.used((day - 3) * DAY + 60.0)])
        for question in questions():
            elastic = set(from_elastic(server, question, day, day, engine.namespace))
            assert keys(elastic) == shown(question)
            indexed = [to_splunk(source, event, at + 900.0) for source, event in events if source in question.events]
            rows = run(question.splunk, indexed, Context(macros, {}, 0.0))
            assert {use for row in rows if (use := usage_of(row)) is not None} == elastic
            assert not list(from_elastic(server, question, day - 3, day - 3, engine.namespace))


@pytest.mark.engine("elasticsearch")
def test_a_flood_of_names_is_bounded_and_hides_nobody(elasticsearch_url: str) -> None:
    """Of an entity that reads 300 paths the most used are told; the others' are all there. The SPL is bounded as well."""
    at = lately()
    day = int(at // DAY)
    flood = [logs.vault(at + n, "ent-evil", f"kv/x{n}") for n in range(300)] + [
        logs.vault(at + n, "ent-evil", "kv/often") for n in range(400, 405)
    ]
    events = [*flood, logs.vault(at, "ent-1", "kv/quiet")]
    (question,) = (one for one in questions() if one.name == "vault")
    with ElasticRun(elasticsearch_url, ()) as engine, Server(elasticsearch_url) as server:
        engine.add(events)
        found = list(from_elastic(server, question, day, day, engine.namespace))
    indexed = [to_splunk(source, event, at + 900.0) for source, event in events]
    rows = [usage_of(row) for row in run(question.spl, indexed, Context({}, {}, 0.0))]
    for answer in (found, [use for use in rows if use is not None]):
        assert len(answer) == OBJECTS + 1
        assert {("vault:default:ent-1", "path", "kv/quiet"), ("vault:default:ent-evil", "path", "kv/often")} <= keys(answer)


def test_a_history_that_comes_in_afterwards_counts_nothing() -> None:
    """Whoever may send events to the SIEM could make up months of use in a minute: an event must come in on its day."""
    events = [to_splunk(*logs.vault(BEGIN - days * DAY, "ent-1", "kv/x"), BEGIN) for days in range(30)]
    (question,) = (one for one in questions() if one.name == "vault")
    assert {row["tq_day"] for row in run(question.spl, events, Context({}, {}, 0.0))} == {20_600, 20_599}


# -- rows ------------------------------------------------------------------------------------------------------------

GOOD = {"tq_account": "vault:prod:e", "tq_what": "path", "tq_object": "kv/a", "tq_count": "3",
        "tq_first": str(BEGIN), "tq_last": str(BEGIN + 5)}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"tq_account": "nobody:x:y"}, {"tq_account": "vault::e"}, {"tq_account": "vault:prod:"}, {"tq_account": None},
        {"tq_account": ["vault:prod:e"]}, {"tq_what": "protected"}, {"tq_what": None}, {"tq_object": ""},
        {"tq_what": "role", "tq_object": "admin"}, {"tq_count": "0"}, {"tq_count": "-1"}, {"tq_count": "many"},
        {"tq_count": "nan"}, {"tq_count": "inf"}, {"tq_first": "x"}, {"tq_first": None}, {"tq_last": str(BEGIN - 9)},
        {"tq_last": str(BEGIN + DAY)}, {"tq_last": "1e300", "tq_first": "1e300"},
    ],
)  # fmt: skip
def test_a_row_of_another_form_is_none(change: Dict[str, Any]) -> None:
    """Nothing of it is believed."""
    assert usage_of(GOOD) == Usage("vault:prod:e", "path", "kv/a", 20_600, 3, BEGIN, BEGIN + 5)
    assert usage_of({**GOOD, **change}) is None


def test_names_are_cut_and_printable() -> None:
    """Marks that turn the direction of writing, line ends and long names do not come further than here."""
    use = usage_of({**GOOD, "tq_object": "kv/\u202eevil\n\x1b[31m" + "x" * 999})
    assert use is not None and use.object.startswith("kv/evil[31mx") and len(use.object) <= 300


def test_the_only_tenant_of_the_settings_is_meant() -> None:
    """Logs of Okta, CyberArk and Vault name no tenant; Entra's and AWS's do, and keep theirs."""
    uses = [
        Usage("okta:default:00u", "app", "okta:default:0oa", 1, 1, 0, 0),
        Usage("entra:t:sp", "resource", "entra:t:r", 1, 1, 0, 0),
        Usage("vault:default:e", "path", "vault:default:x", 1, 1, 0, 0),
    ]  # fmt: skip
    found = list(of_tenants(uses, {"okta": "corp", "entra": "x", "vault": "prod"}))
    assert [(use.account, use.object) for use in found] == [
        ("okta:corp:00u", "okta:corp:0oa"), ("entra:t:sp", "entra:t:r"), ("vault:prod:e", "vault:default:x"),
    ]  # fmt: skip


# -- the store -------------------------------------------------------------------------------------------------------

USES = st.builds(
    lambda account, name, day, count: Usage(f"vault:p:{account}", "path", name, day, count, day * DAY, day * DAY + 9.0),
    st.sampled_from("abc"), st.sampled_from(["kv/a", "kv/b"]), st.integers(20_590, 20_600), st.integers(1, 9),
)  # fmt: skip


@of_hypothesis(max_examples=25)
@given(st.lists(st.lists(USES, max_size=6), max_size=5), st.randoms())
def test_readings_in_any_order_and_again_change_nothing(readings: List[List[Usage]], chance: Any) -> None:
    """Of each day what counts most: windows that overlap, and files that are read twice, count nothing twice."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        states = []
        for number in range(2):
            with UsageStore(Path(folder) / f"{number}.db") as store:
                for reading in [*readings, *(readings if number else ())]:
                    store.merge("x", reading)
                states.append(list(store.everything()))
            chance.shuffle(readings)
    assert states[0] == states[1]
    for used in states[0]:
        mine = [u for reading in readings for u in reading if (u.account, u.object) == (used.account, used.object)]
        assert dict(used.days) == {day: max(u.count for u in mine if u.day == day) for day in {u.day for u in mine}}


def test_two_origins_of_one_log_count_once(tmp_path: Path) -> None:
    """The same requests from the SIEM and from the log's own file are the same requests."""
    with UsageStore(tmp_path / "x.db") as store:
        for origin in ("elastic vault", "splunk vault", "file vault:p"):
            store.merge(origin, [Usage("vault:p:a", "path", "kv/a", 20_600, 7, BEGIN, BEGIN)])
        (used,) = store.everything()
        assert used.days == ((20_600, 7),) and used.reaches.count == 7
        assert len(store.by_account("vault:p:a")) == 1


def test_old_days_and_a_flood_are_forgotten(tmp_path: Path) -> None:
    """Days that are too old, and of one account the things beyond the bound that are used on the fewest days."""
    with UsageStore(tmp_path / "x.db") as store:
        for day in (20_560, 20_599, 20_600):
            store.merge("x", [Usage("vault:p:a", "path", "kv/a", day, 1, day * DAY, day * DAY)])
        store.merge("x", [Usage("vault:p:old", "path", "kv/a", 20_560, 1, 20_560 * DAY, 20_560 * DAY)])
        store.merge("x", (Usage("vault:p:a", "path", f"kv/flood{n}", 20_600, 99, BEGIN, BEGIN + 9) for n in range(500)))
        assert store.trim(BEGIN, 30) == 301
        found = store.by_account("vault:p:a")
        assert len(found) == THINGS_OF_ONE and found[0].object == "kv/a"
        assert [day for day, _ in found[0].days] == [20_599, 20_600] and found[0].first == 20_599 * DAY
        assert not store.by_account("vault:p:old") and store.trim(BEGIN, 30) == 0


def test_days_to_come_and_long_gone_are_left_out() -> None:
    """A day in the future would be kept for ever."""
    uses = [Usage("vault:p:a", "path", "x", day, 1, 0, 0) for day in (20_570, 20_571, 20_600, 20_601, 99_999)]
    assert [use.day for use in recent(uses, BEGIN, 30)] == [20_571, 20_600]


def test_vaults_own_log_is_read_on(tmp_path: Path) -> None:
    """Only new lines count; one that is still being written waits; a file that was turned over is read whole."""
    log = tmp_path / "audit.log"
    lines = [json.dumps(event) + "\n" for source, event in logs.day(BEGIN) if source == "vault"]
    lease = json.dumps(logs.vault(BEGIN, "ent-1", "database/creds/app", response={"secret": {"lease_id": "l-1"}})[1]) + "\n"
    log.write_text("".join(lines) + lease[:50])
    with UsageStore(tmp_path / "x.db") as store:
        assert read_usage(log, store, "vault:prod", BEGIN) == 4
        with log.open("a") as file:
            file.write(lease[50:])
        assert read_usage(log, store, "vault:prod", BEGIN) == 1
        assert read_usage(log, store, "vault:prod", BEGIN) == 0
        found = {used.object: used for used in store.by_account("vault:prod:ent-1")}
        assert {name: used.days for name, used in found.items()} == {
            "kv/data/billing": ((20_600, 2),), "database/creds/app": ((20_600, 3),),
        }  # fmt: skip
        assert found["database/creds/app"].reaches.name == "database/creds/app (1 leases)"
        log.unlink()
        log.write_text(lines[0])
        assert read_usage(log, store, "vault:prod", BEGIN) == 1
        with pytest.raises(BadInput, match="name Vault's audit log"):
            read_usage(tmp_path / "absent", store, "vault:prod", BEGIN)


def test_a_file_read_in_pieces_is_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of its pieces are added; and events beyond the first piece are read."""
    monkeypatch.setattr("responders.inventory.sync.usage_events._AT_ONCE", 2)
    path = tmp_path / "vault.ndjson"
    path.write_text("".join(json.dumps(logs.vault(BEGIN + n, "e", "kv/a")[1]) + "\n" for n in range(7)))
    (question,) = (one for one in questions() if one.name == "vault")
    (use,) = from_events(path, question, Lines())
    assert (use.count, use.first, use.last) == (7, BEGIN, BEGIN + 6)
    assert list(added([use, use])) == [replace(use, count=14)]


# -- what it says of an identity -------------------------------------------------------------------------------------

ACCOUNT = Account("entra", "t", "service_principal", "sp")
SERVICE = Observed(Seen(ACCOUNT, "billing", True, False, "an Entra service principal"))


def test_usage_is_told_and_decides_nothing() -> None:
    """However much of it logs show: kind, criticality, marks and dependents are the same, and so is the policy's class."""
    uses = InUse(tuple(Use(f"app {n}", "resource", "r", 30, "a", "b") for n in range(99)), (), 99)
    without = describe("x", [ACCOUNT], [SERVICE], None).identity
    found = describe("x", [ACCOUNT], [SERVICE], None, usage=uses).identity
    assert replace(found, usage=()) == without and len(found.usage) == 11
    policy = policy_from_compiled(json.loads(DEFAULT.with_suffix(".json").read_text()))
    assert policy.class_of(found) == policy.class_of(without) == "service_production"
    row = replace(without, canary=True)
    assert not describe("x", [ACCOUNT], [SERVICE], row, usage=uses).identity.dependents


def test_usage_in_words() -> None:
    """Others first, then what it uses itself; not what was seen on few days; of a person only who uses the accounts."""
    uses = InUse(
        (Use("checkout (entra:t:1)", "resource", "r", 9, "2026-05-01", "2026-05-27"), Use("rare", "app", "r", 2, "a", "b")),
        (Use("", "path", "kv/billing", 12, "2026-05-01", "2026-05-28"), Use("", "role", "aws:1:AROA", 3, "x", "y")), 2,
    )  # fmt: skip
    assert in_words(uses, "service") == (
        "checkout (entra:t:1) calls it on 9 days from 2026-05-01 to 2026-05-27",
        "it reads kv/billing on 12 days from 2026-05-01 to 2026-05-28",
        "it takes the role aws:1:AROA on 3 days from x to y",
        "in all, 2 accounts use it",
    )
    assert len(in_words(uses, "human")) == 2 and len(in_words(uses, "service", 1)) == 4
    assert in_words(InUse(), "service") == ()


def fill(company: Company, uses: Iterable[Usage], days: int = 4) -> None:
    with UsageStore(company.state) as store:
        for day in range(days):
            at = BEGIN - day * DAY
            store.merge("test", (replace(use, day=use.day - day, first=at, last=at) for use in uses))


def use(account: str, what: str, name: str) -> Usage:
    return Usage(account, what, name, 20_600, 1, BEGIN, BEGIN)


def compiled(company: Company, file: str = "") -> Inventory:
    given = read_inventory(file, "people.csv") if file else None
    with RawStore(company.state) as store, Gathered(store, {}) as gathered:
        compile_inventory(gathered, given, target(company), accept=True)
    return from_compiled(target(company).read_text(), "inventory.json")


def test_the_inventory_tells_who_uses_whom(company: Company) -> None:
    """A service principal that calls another by its appId, a provider of CyberArk by its name; what only the log knows is
    counted and not named. Thousands of made-up users neither protect anybody nor make dependents."""
    tenant = company.connections["entra"].tenant
    billing, checkout = company.graph.add_app("billing"), company.graph.add_app("checkout")
    app = company.graph.state["service_principals"][billing]["appId"]
    provider = company.cyberark.add_user("Prov_x")
    company.read("entra", "cyberark")
    forged = [use(f"entra:{tenant}:made-up-{n}", "resource", f"entra:{tenant}:{app}") for n in range(3000)]
    fill(company, [
        use(f"entra:{tenant}:{checkout}", "resource", f"entra:{tenant}:{app}"),
        use("cyberark:pam:Prov_x", "object", "Apps/billing-key"), *forged,
    ])  # fmt: skip
    file = "id,kind,accounts,aliases\nbilling-key,service,aws:111122223333:AIDA,cyberark:pam:object:Apps/billing-key\n"
    found = compiled(company, file)
    identity = of(company, f"entra:{tenant}:{billing}")
    assert identity.usage[0].startswith(f"checkout (entra:{tenant}:{checkout}) calls it on 4 days from ")
    assert identity.usage[1:] == ("in all, 3001 accounts use it",)
    assert (identity.dependents, identity.protected, identity.criticality) == ((), False, "normal")
    assert of(company, f"entra:{tenant}:{checkout}").usage[0].startswith(f"it calls billing (entra:{tenant}:{billing}) on 4")
    key = found.identity("billing-key")
    assert key and key.usage[0].startswith(f"Prov_x (cyberark:pam:{provider}) takes out Apps/billing-key on 4 days")
    with RawStore(company.state) as store, Gathered(store, {}) as gathered:
        observed = gathered.observed(f"cyberark:pam:{provider}")
    assert observed and [(r.what, r.target, r.count) for r in observed.reaches if r.what == "used"] == [
        ("used", "Apps/billing-key", 4)
    ]


def test_more_use_is_no_change_of_an_identity(company: Company) -> None:
    """It grows each day: a sync would tell of every service as changed."""
    tenant = company.connections["entra"].tenant
    billing, checkout = company.graph.add_app("billing"), company.graph.add_app("checkout")
    company.read("entra")
    compiled(company)
    fill(company, [use(f"entra:{tenant}:{checkout}", "resource", f"entra:{tenant}:{billing}")])
    with RawStore(company.state) as store, Gathered(store, {}) as gathered:
        found = compile_inventory(gathered, None, target(company))
    assert found.changed[0] == 0 and of(company, f"entra:{tenant}:{billing}").usage


def test_names_in_logs_join_nobody(company: Company) -> None:
    """A session of an AWS role that calls itself like Alice is a hint for a person, until the file gives it to her."""
    alice = person(company, "alice")
    company.read("okta")
    fill(company, [use("aws:111122223333:AROADEV", "session", "alice@corp.example")])
    before = len(compiled(company).identities)
    assert not any(a.vendor == "aws" for identity in compiled(company).identities for a in identity.accounts)
    report = joins_file(target(company)).read_text()
    assert "seen in logs" in report and alice["okta"] in report and "on 4 days" in report
    file = f"id,kind,accounts,aliases\nalice,human,{alice['okta']},aws:111122223333:AROADEV:alice@corp.example\n"
    assert len(compiled(company, file).identities) == before
    assert "seen in logs" not in joins_file(target(company)).read_text()


# -- the command -----------------------------------------------------------------------------------------------------


class Splunk(JobServer):
    """A search head's job endpoints, which run each search by the evaluator over the events of its time."""

    def __init__(self, events: Sequence[logs.Event]) -> None:
        self.events, self.searches, self.macros = events, [], load_macros()
        self.rows: List[Dict[str, Any]] = []
        super().__init__()

    def answer(self, method: str, path: str, query: Dict[str, List[str]], form: Dict[str, List[str]]) -> Tuple[int, Any]:
        if method == "POST":
            self.search(form["search"][0])
            return 200, {"sid": "1"}
        if path.endswith("/results"):
            return 200, {"results": self.rows[int(query.get("offset", ["0"])[0]) :]}
        return 200, {"entry": [{"content": {"isDone": True}}]} if method == "GET" else {}

    def search(self, text: str) -> None:
        head, earliest, latest, search = text.split(" ", 3)
        begin, end = (int(word.partition("=")[2]) for word in (earliest, latest))
        assert head == "search"
        self.searches.append((begin, end, search))
        indexed = [to_splunk(source, event, 0.0) for source, event in self.events]
        now = [{**row, "_indextime": row["_time"]} for row in indexed if begin <= row["_time"] < end]
        self.rows = [{k: str(v) for k, v in row.items()} for row in run(search, now, Context(self.macros, {}, 0.0))]


@pytest.fixture
def settings(company: Company) -> Path:
    """Settings of a company with Entra and CyberArk, to be read by the command."""
    for name in ("entra", "cyberark", "key"):
        (company.folder / name).touch(mode=0o600)
        secret = next(iter(company.connections[name].secrets.values())).reveal() if name != "key" else "k" * 64
        (company.folder / name).write_text(secret)
    connections = [
        {"vendor": c.vendor, "tenant": c.tenant, "url": c.url, "allow_loopback_http": True, **c.plain,
         next(iter(c.secrets)): {"file": str(company.folder / c.vendor)}}
        for c in company.connections.values() if c.vendor != "okta"
    ]  # fmt: skip
    found = company.folder / "settings.json"
    journal = {"path": "j", "key": {"file": "key"}}
    found.write_text(json.dumps({"connections": connections, "inventory": "inventory.json", "journal": journal}))
    return found


def sync(settings: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Tuple[int, Any]:
    code = main(["inventory", "sync", "--settings", str(settings), "--json", *more])
    out = capsys.readouterr()
    return code, json.loads(out.out or out.err)


def days_ago(days: int) -> float:
    return (datetime.now(timezone.utc).timestamp() // DAY - days) * DAY + 60.0


def checkouts(days: Iterable[int]) -> Iterator[logs.Event]:
    for day in days:
        yield logs.cyberark(days_ago(day), "Prov_x", "Apps", "billing-key")


def test_a_wrong_option_is_told_before_the_vendors_are_read(
    company: Company, settings: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Reading a large company takes ten minutes: a missing file, a token that is not set, are no reason to wait for."""
    for wrong, named in (
        (("--usage-events", f"vault={tmp_path / 'no'}"), "no"), (("--usage-rows", str(tmp_path)), str(tmp_path)),
        (("--vault-audit", str(tmp_path / "no")), "--vault-audit"), (("--usage-keep-days", "0"), "--usage-keep-days"),
        (("--usage-splunk", "https://127.0.0.1:1"), "$TOURNIQUET_SPLUNK_TOKEN"),
        (("--usage-elastic", "es"), "--usage-elastic"),
    ):  # fmt: skip
        code, told = sync(settings, capsys, *wrong)
        assert (code, named in told["place"]) == (2, True), told
    assert company.cyberark.requests == [] and company.graph.requests == []


def test_the_command_asks_splunk(
    company: Company, settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every day once at first, later the last ones again; the tenant is that of the settings; nothing is counted twice."""
    provider = company.cyberark.add_user("Prov_x")
    monkeypatch.setenv("TOURNIQUET_SPLUNK_TOKEN", TOKEN)
    splunk = Splunk([*checkouts(range(5))])
    try:
        for number, asked in ((0, 6), (1, 3)):
            splunk.searches.clear()
            code, told = sync(settings, capsys, "--usage-splunk", splunk.url, "--usage-keep-days", "6")
            assert code == 0 and len(splunk.searches) == 5 * asked, told
            assert {one["origin"]: one["uses"] for one in told["usage"]}["splunk cyberark"] == (3 if number else 5)
    finally:
        splunk.server.shutdown()
        splunk.server.server_close()
    with UsageStore(target(company).with_suffix(".observed.db")) as store:
        (used,) = store.by_account("cyberark:pam:Prov_x")
        assert [count for _, count in used.days] == [1] * 5
    identity = from_compiled(target(company).read_text(), "i").identity(f"cyberark:pam:{provider}")
    assert identity and identity.usage == () and identity.kind == "human"


@pytest.mark.engine("elasticsearch")
def test_the_command_asks_elasticsearch(
    company: Company, settings: Path, elasticsearch_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    """On the real server. One that is not there is named, everything else is done, and the exit code says so."""
    app, tenant = company.graph.add_app("billing"), company.connections["entra"].tenant
    caller = company.graph.add_app("checkout")
    with ElasticRun(elasticsearch_url, ()) as engine:
        name = company.graph.state["service_principals"][app]["appId"]
        source, event = logs.entra(days_ago(0) - 59, caller, name)
        engine.add([(source, {**event, "tenantId": tenant})])
        inside = [
            replace(one, elastic=one.elastic.replace("logs-azure.signinlogs-*", f"logs-azure.signinlogs-{engine.namespace}*")
                    .replace("tourniquet-schema", f"tourniquet-schema-{engine.namespace}"))
            for one in questions() if one.name == "entra"
        ]  # fmt: skip
        monkeypatch.setattr("responders.surfaces.command_line.inventory_usage.questions", lambda: inside)
        least = ("--usage-least-days", "1")
        code, told = sync(settings, capsys, "--usage-elastic", elasticsearch_url, *least)
        assert code == 0 and [one["uses"] for one in told["usage"]] == [1], told
    identity = from_compiled(target(company).read_text(), "i").identity(f"entra:{tenant}:{app}")
    assert identity and identity.usage[0].startswith("checkout (entra:")
    code, told = sync(settings, capsys, "--usage-elastic", "http://127.0.0.1:9", *least)
    assert code == 4 and "can't be reached" in told["usage"][0]["failed"] and told["wrote"]
    identity = from_compiled(target(company).read_text(), "i").identity(f"entra:{tenant}:{app}")
    assert identity and identity.usage[0].startswith("checkout (entra:")


def test_the_command_reads_files(company: Company, settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer saved from Splunk, as CSV or JSON, and a log's own events; each again, and nothing changes."""
    company.cyberark.add_user("Prov_x")
    rows = company.folder / "rows.csv"
    stamps = [days_ago(day) for day in range(3)]
    head = "tq_account,tq_what,tq_object,tq_day,tq_count,tq_first,tq_last\n"
    lines = [f"cyberark:default:Prov_x,object,Apps/a,{int(at // DAY)},2,{at},{at}\n" for at in stamps]
    rows.write_text(head + "".join(lines) + "x,y,z,1,1,1,1\n")
    more = company.folder / "rows.json"
    more.write_text(
        json.dumps({"preview": False, "result": {**GOOD, "tq_first": str(stamps[0]), "tq_last": str(stamps[0])}})
    )
    events = company.folder / "events.ndjson"
    events.write_text("".join(json.dumps(event) + "\n" for _, event in checkouts(range(2))) + "{\n")
    arguments = ("--usage-rows", str(rows), "--usage-rows", str(more), "--usage-events", f"cyberark={events}")
    for _ in range(2):
        code, told = sync(settings, capsys, *arguments)
        assert code == 0 and [(one["uses"], one["bad"]) for one in told["usage"]] == [(3, 1), (1, 0), (2, 1)]
    with UsageStore(target(company).with_suffix(".observed.db")) as store:
        assert {used.object: used.reaches.count for used in store.by_account("cyberark:pam:Prov_x")} == {
            "Apps/a": 6, "Apps/billing-key": 2,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--usage-events", "github=x"), "names no log"), (("--usage-events", "vault"), "names no log"),
        (("--usage-rows", "absent.csv"), "No such file"), (("--usage-events", "vault=absent"), "No such file"),
        (("--usage-elastic", "http://es.example:9200"), "in the clear"), (("--usage-splunk", "http://sh:8089"), "not https"),
        (("--usage-keep-days", "0"), "0 days kept"), (("--usage-least-days", "31"), "31 at least"),
        (("--vault-audit", "x"), "0 Vaults"),
    ],
)  # fmt: skip
def test_wrong_options_are_named(
    company: Company, settings: Path, capsys: pytest.CaptureFixture[str], arguments: Tuple[str, ...], why: str
) -> None:
    """Exit code 2, and nothing is written."""
    code, told = sync(settings, capsys, *arguments)
    assert code == 2 and why in json.dumps(told) and not target(company).exists()
