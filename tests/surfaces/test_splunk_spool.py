"""Alerts kept on a search head: whole, ours alone, in order, and left to the process that has them as long as it lives."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from responders.surfaces.splunk_alert import MAXTIME
from responders.surfaces.splunk_spool import LONGEST_RUN, Spool

ROWS = [{"tq_account": "okta:corp:ä\ud800", "n": 1}, {"list": ["a", None]}]


def kept(spool: Spool, process: int, sid: str = "s") -> str:
    return spool.keep(ROWS, search="a search", sid=sid, owner="nobody", process=process)


def test_what_is_kept_comes_back_and_is_ours_alone(tmp_path: Path) -> None:
    """Any text; folder 0700, file 0600; oldest first; gone when removed, also twice."""
    spool = Spool(str(tmp_path))
    paths = [kept(spool, os.getpid(), sid) for sid in ("1", "2", "3")]
    assert spool.paths() == paths
    found = spool.read(paths[0])
    assert (list(found.rows), found.search, found.sid, found.owner) == (ROWS, "a search", "1", "nobody")
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (tmp_path / "spool", paths[0])] == [0o700, 0o600]
    spool.remove(paths[1])
    spool.remove(paths[1])
    assert spool.paths() == [paths[0], paths[2]]
    assert Spool(str(tmp_path / "none")).paths() == []


def test_it_is_left_to_its_process_while_that_may_live(tmp_path: Path) -> None:
    """Alive: left. Gone, none, or longer ago than Splunk lets one run: free, whoever has the number now."""
    spool = Spool(str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    assert [spool.read(kept(spool, process)).alone for process in (os.getpid(), gone.pid, 0)] == [False, True, True]
    path = Path(kept(spool, os.getpid()))
    old = path.with_name(f"{time.time_ns() - int((LONGEST_RUN + 1) * 1e9):020d}-00000000.json")
    path.rename(old)
    assert spool.read(str(old)).alone is True
    assert LONGEST_RUN > MAXTIME


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"rows": 1}', '{"rows": [1], "search": "", "sid": "", "owner": "", "process": 1}']
)
def test_a_file_that_is_none_of_ours_is_said(tmp_path: Path, text: str) -> None:
    """With what to do about it."""
    (tmp_path / "spool").mkdir()
    path = tmp_path / "spool" / "00000000000000000001-x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="Contain by hand whom it names"):
        Spool(str(tmp_path)).read(str(path))
