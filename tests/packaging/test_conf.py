"""The hand-written files of the app say the same: alert action, its form, its specifications, the input, the code."""

from __future__ import annotations

import configparser
import dataclasses
import json
import re
from pathlib import Path
from typing import Dict, List
from xml.etree import ElementTree

import pytest
import yaml

from responders import settings
from responders.containment.responder import Timing
from responders.surfaces import splunk_request
from responders.surfaces.splunk_alert import MAXTIME
from responders.surfaces.splunk_log import ACTION
from responders.surfaces.splunk_results import Payload, recheck_seconds
from tests.packaging.splunk import ROOT

APP = ROOT / "splunk_app"
SPECS = yaml.safe_load((Path(__file__).parent / "conf_specs.yaml").read_text(encoding="utf-8"))


def stanza(name: str, section: str) -> Dict[str, str]:
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((APP / name).read_text(encoding="utf-8"))
    return dict(parser[section])


def specified(name: str) -> Dict[str, str]:
    """Key to its text in a specification of the app."""
    parts = re.split(r"^([\w.]+) = .*$", (APP / "README" / name).read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


ACTIONS = ("tourniquet_contain", "tourniquet_contain_tier", "tourniquet_preview", "tourniquet_restore")
ALERT = stanza("default/alert_actions.conf", ACTION)
each_action = pytest.mark.parametrize("action", ACTIONS)


def parameters(action: str) -> List[str]:
    keys = stanza("default/alert_actions.conf", action)
    return sorted(key[len("param.") :] for key in keys if key.startswith("param.") and not key.startswith("param._"))


def form(action: str) -> ElementTree.Element:
    path = APP / "default" / "data" / "ui" / "alerts" / f"{action}.html"
    return ElementTree.parse(path).getroot()  # noqa: S314 - our own file


def test_every_action_is_known() -> None:
    """The stanzas, and those that post a request."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    parser.read_string((APP / "default" / "alert_actions.conf").read_text(encoding="utf-8"))
    assert tuple(parser.sections()) == ACTIONS == tuple(splunk_request.ACTIONS)


@each_action
def test_the_action_is_named_alike_everywhere(action: str) -> None:
    """Splunk finds script, form and log by the stanza's name."""
    keys = stanza("default/alert_actions.conf", action)
    assert (APP / "bin" / f"{action}.py").is_file()
    assert action in (APP / "bin" / f"{action}.py").read_text() or action == ACTION
    assert (APP / "appserver" / "static" / keys["icon_path"]).is_file()
    assert (keys["is_custom"], keys["payload_format"]) == ("1", "json")


@each_action
def test_every_parameter_is_in_form_and_specifications(action: str) -> None:
    """A parameter of the action can be set in the form, and both specifications say what it is; nothing more is offered."""
    prefix = f"action.{action}.param."
    fields = [element.get("name", "") for element in form(action).iter() if element.tag in ("input", "select", "textarea")]
    assert sorted(fields) == [prefix + name for name in parameters(action)]
    text = (APP / "README" / "alert_actions.conf.spec").read_text(encoding="utf-8")
    (mine,) = [part for name, part in re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S) if name == action]
    assert set(re.findall(r"^(param\.\w+) = ", mine, re.M)) == {
        key for key in stanza("default/alert_actions.conf", action) if key.startswith("param.")
    }
    keys = set(specified("savedsearches.conf.spec"))
    assert {f"action.{action}", *(prefix + name for name in parameters(action))} == {
        key for key in keys if key == f"action.{action}" or key.startswith(prefix)
    }


@each_action
def test_every_field_of_the_form_has_its_label_and_help(action: str) -> None:
    """The label is for the field that follows, so that a screen reader reads it; each field has a sentence of help."""
    labels = [element.get("for") for element in form(action).iter("label")]
    assert labels == [element.get("id") for element in form(action).iter() if element.tag in ("input", "select")]
    helps = ["".join(element.itertext()) for element in form(action).iter("span")]
    assert len(helps) == len(labels)
    assert all(len(text.split()) >= 5 for text in helps)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_key_is_one_that_splunk_takes(name: str) -> None:
    """Stanzas, keys and values of the conf files written by hand, against what Splunk's specifications list."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((APP / "default" / f"{name}.conf").read_text(encoding="utf-8"))
    assert parser.sections()
    for section in parser.sections():
        known = [keys for pattern, keys in SPECS[name]["stanzas"].items() if re.fullmatch(pattern, section)]
        assert known, section
        for key, value in parser[section].items():
            form_of = next((rule for pattern, rule in known[0].items() if re.fullmatch(pattern, key)), None)
            assert form_of is not None and re.fullmatch(form_of, value), f"{name}.conf [{section}] {key} = {value}"


def test_defaults_agree() -> None:
    """The recheck time is the same in the action, in both specifications, and in code that finds none given."""
    assert recheck_seconds(Payload("", "", {}, ())) == float(ALERT["param.recheck_seconds"])
    for text in (specified("alert_actions.conf.spec"), specified("savedsearches.conf.spec")):
        (about,) = [about for key, about in text.items() if key.endswith("recheck_seconds")]
        assert f"Default: {ALERT['param.recheck_seconds']}" in about


@each_action
def test_the_common_action_model_reads_it(action: str) -> None:
    """_cam has the keys of the model; ad hoc runs are offered, for they become requests."""
    cam = json.loads(stanza("default/alert_actions.conf", action)["param._cam"])
    assert set(cam) == {"category", "task", "subject", "technology", "supports_adhoc", "supports_cloud"}
    assert all(cam[key] and all(isinstance(item, str) for item in cam[key]) for key in ("category", "task", "subject"))
    assert [set(item) for item in cam["technology"]] == [{"vendor", "product", "version"}]
    assert cam["supports_adhoc"] is True


def test_the_specification_of_a_connection_names_what_the_validator_takes() -> None:
    """Every key of every vendor, and those that only Splunk has; nothing else."""
    keys = set(re.findall(r"^([\w.<>]+) = ", (APP / "README" / "tourniquet_connection.conf.spec").read_text(), flags=re.M))
    of_vendors = {key for plain in settings._PLAIN.values() for key in plain}
    only_here = {
        "credential",
        "relay",
        "ca_pem",
        "proxy_stored",
        "settings.<name>",
        "privileged.credential",
        "privileged.<key>",
        "disabled",
    }
    assert keys == {*settings._COMMON, *of_vendors, *only_here} - {"settings", "privileged"}
    credentials = re.search(r"^credential = (.*)$", (APP / "README" / "tourniquet_connection.conf.spec").read_text(), re.M)
    assert credentials is not None
    of_all = {name for names in settings.VENDORS.values() for name in names}
    assert set(credentials.group(1).split("|")) == {*of_all, settings.RELAY_KEY}


def test_the_defaults_of_the_settings_are_those_of_the_code() -> None:
    """Each delay in default/, in its specification, and where no settings are."""
    shipped = stanza("default/tourniquet_settings.conf", "timing")
    about = specified("tourniquet_settings.conf.spec")
    assert set(shipped) == {field.name for field in dataclasses.fields(Timing)} == set(settings._SECONDS) | {"rechecks"}
    for name, value in shipped.items():
        found = getattr(Timing(), name)
        assert tuple(map(float, value.split(", "))) == (found if isinstance(found, tuple) else (found,)), name
        assert f"Default: {value}" in about[name], name


PYTHON: List[Dict[str, str]] = [
    ALERT,
    stanza("default/inputs.conf", "script://$SPLUNK_HOME/etc/apps/tourniquet/bin/tourniquet_due.py"),
    stanza("default/inputs.conf", "script://$SPLUNK_HOME/etc/apps/tourniquet/bin/tourniquet_check.py"),
]


@pytest.mark.parametrize("started", PYTHON, ids=["alert action", "due work", "check of the vendors"])
def test_it_asks_for_the_pythons_it_is_tested_on(started: Dict[str, str]) -> None:
    """python.required names the two versions under which the process tests run."""
    assert started["python.version"] == "python3"
    assert started["python.required"] == "3.9, 3.13"


def test_the_alert_process_knows_when_splunk_ends_it() -> None:
    """The code counts with the maxtime of the action."""
    assert ALERT["maxtime"] == f"{MAXTIME / 60:.0f}m"


@pytest.mark.parametrize(("started", "every"), [(PYTHON[1], "60"), (PYTHON[2], "3600")], ids=["due work", "check"])
def test_an_input_waits_until_it_is_switched_on(started: Dict[str, str], every: str) -> None:
    """Disabled, each minute or hour, with a session of the system's user; no index and no sourcetype, for its output is no
    event."""
    assert {key: value for key, value in started.items() if not key.startswith("python")} == {
        "disabled": "1", "interval": every, "passAuth": "splunk-system-user",
    }  # fmt: skip


def test_the_programs_stay_thin() -> None:
    """bin/ only finds lib/ and hands over: what is there has no test of its own."""
    for path in sorted((APP / "bin").glob("*.py")):
        assert len(path.read_text().splitlines()) <= 15, path.name


@pytest.mark.parametrize("page", [APP / "README.md", ROOT / "docs" / "splunk.md"], ids=lambda path: Path(path).name)
def test_the_pages_name_what_is_there(page: Path) -> None:
    """Every exit code's program, log file and macro that a page for administrators names exists."""
    text = page.read_text(encoding="utf-8")
    assert "never run in a real Splunk" in text
    macros = (APP / "default" / "macros.conf").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tourniquet_\w+)`", text)) - {
        ACTION,
        "tourniquet_due",
        "tourniquet_check",
        "tourniquet_settings",
    }
    lookups = (APP / "default" / "transforms.conf").read_text(encoding="utf-8")
    assert [name for name in named if f"[{name}]" not in macros + lookups] == []
