"""The section `serve`: everything that is wrong is said at once, names the place, and never shows a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import BadInputs
from responders.settings import ElasticSettings
from responders.surfaces.service.config import SCHEMA, read_config

KNOWN = ("okta/session_replay",)
ELASTIC = ElasticSettings(("https://es.corp.example:9200",))


def wrong(section: Any, folder: Path = Path("/nowhere")) -> List[str]:
    with pytest.raises(BadInputs) as caught:
        read_config(section, str(folder / "settings.json"), KNOWN, None)
    return [str(error) for error in caught.value.errors]


def test_nothing_is_needed_and_each_default_fits_the_schema() -> None:
    found = read_config({}, "settings.json", KNOWN, ELASTIC)
    assert (found.host, found.port, found.spaces) == ("127.0.0.1", 8766, ("default",))
    assert not found.waits("okta/session_replay")
    for part in SCHEMA["properties"].values():
        for inner in (part, *part.get("properties", {}).values()):
            if "default" in inner:
                jsonschema.validate(inner["default"], {**inner, "$defs": SCHEMA["$defs"]})


def test_what_contradicts_is_said_with_its_place_and_remedy(tmp_path: Path) -> None:
    """An open door without TLS, keys that others can read, secrets that can be guessed, detections that do not exist."""
    (tmp_path / "short").write_text("short")
    (tmp_path / "short").chmod(0o600)
    (tmp_path / "open").write_text("x" * 40)
    (tmp_path / "open").chmod(0o644)
    found = wrong(
        {
            "listen": "0.0.0.0:99999",
            "webhook": {"secrets": [{"file": "short"}, {"file": "open"}, {"env": "NO_SUCH_VARIABLE"}]},
            "kibana": {"url": "http://kibana.corp.example", "api_key": {"file": "absent"}, "ca": "none.pem"},
            "wait_for_tag": ["okta/session_reply"],
        },
        tmp_path,
    )
    parts = (
        "serve.listen: is not loopback", "serve.listen: has no such port", "serve.webhook.secrets[1]: is shorter",
        "serve.webhook.secrets[2]", "serve.webhook.secrets[3]", "serve.kibana.url: http://kibana.corp.example is not",
        "serve.kibana.ca", "serve.kibana.api_key", "there is no detection 'okta/session_reply'",
        "settings.json: elasticsearch: is missing",
    )  # fmt: skip
    for part in parts:
        assert any(part in line for line in found), (part, found)
    assert len(found) == len(parts)


def test_a_secret_that_somebody_wrote_into_the_file_is_refused_and_not_shown() -> None:
    found = wrong({"metrics": {"secret": "S3cr3t-value"}, "webhook": {"secrets": ["S3cr3t-value"]}})
    assert len(found) == 2
    assert "S3cr3t" not in json.dumps(found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SCHEMA["properties"], "url"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "odd"]), _JSON, max_size=6))
def test_whatever_stands_there_it_is_read_or_refused_in_words(section: Dict[str, Any]) -> None:
    try:
        read_config(section, "settings.json", KNOWN, ELASTIC)
    except BadInputs as error:
        assert all("serve" in str(line) for line in error.errors)


def test_the_example_of_the_docs_is_a_sound_one_and_every_key_is_explained(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "elastic_service.md").read_text("utf-8")
    example = json.loads(page.split("```json\n")[1].split("```")[0])
    for name in ("webhook.secret", "kibana.key"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text("x" * 40)
    (tmp_path / "corp-ca.pem").touch()
    read_config(example["serve"], str(tmp_path / "settings.json"), KNOWN, ELASTIC)
    assert [name for name in SCHEMA["properties"] if f"| `{name}` |" not in page] == []
