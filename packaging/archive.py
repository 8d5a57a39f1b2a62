"""A folder as a .tar.gz that is the same to the last byte whenever and wherever it is made from the same files."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import Callable, Iterator

EPOCH = 1767225600
"""2026-01-01T00:00:00Z: the time of every file where SOURCE_DATE_EPOCH (reproducible-builds.org) gives no other."""


def write_archive(folder: Path, target: Path, name: str, executable: Callable[[str], bool]) -> None:
    """Pack `folder` as `name/…` into `target`. `executable(path in the archive)` says which files get mode 0755.

    Raises ValueError for anything that is neither a file nor a folder.
    """
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))
    part = target.with_name(target.name + ".part")
    with (
        open(part, "wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in [folder, *sorted(_below(folder), key=lambda found: found.relative_to(folder).as_posix())]:
            inside = (Path(name) / path.relative_to(folder)).as_posix()
            info = tarfile.TarInfo(inside)
            info.mtime = moment
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise ValueError(f"{path} is neither a file nor a folder")
            if path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
                continue
            info.size = path.stat().st_size
            info.mode = 0o755 if executable(inside) else 0o644
            with open(path, "rb") as content:
                tar.addfile(info, content)
    part.replace(target)


def _below(folder: Path) -> Iterator[Path]:
    yield from folder.rglob("*")
