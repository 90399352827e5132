"""The study that a sweep goes on with or begins: settings come in, a study and its folder go out."""

import re
import time
from pathlib import Path

from deploy.errors import Refused
from loadtest.study.folder import STUDY, find, load
from loadtest.study.study import Settings, Study
from loadtest.sweep.hardware import check_same

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def new_study(
    name: str | None, settings: Settings, hardware: dict[str, str], results: Path
) -> tuple[Study, Path]:
    """Return a study without steps; raise `Refused` where there is one of that name already."""
    created = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
    name = name or f"{settings.model}-{stamp}"
    if not re.fullmatch(NAME, name):
        raise Refused(f"--name {name!r}: letters, digits and . _ - are allowed, 64 at most")
    folder = results / name
    if (folder / STUDY).exists():
        raise Refused(f"there is a study {name} already: --resume {name} goes on with it")
    return Study(name=name, created=created, settings=settings, hardware=hardware), folder


def unfinished_study(name: str | None, results: Path) -> tuple[Study, Path]:
    """Return the named study, without a name the newest that isn't finished.

    Raises `Refused` where there is none, or the named one is finished.
    """
    if name:
        folder = find(name, results)
        study = load(folder)
        if study.finished is not None:
            raise Refused(f"study {study.name} is finished; nothing is left to measure")
        return study, folder
    found = []
    for file in results.glob(f"*/{STUDY}"):
        try:
            found.append((load(file.parent), file.parent))
        except Refused:
            continue  # what can't be read can't be gone on with
    unfinished = [each for each in found if each[0].finished is None]
    if not unfinished:
        raise Refused(f"no unfinished study in {results}; without --resume a new one begins")
    return max(unfinished, key=lambda each: each[0].created)


def check_resumable(study: Study, version: int, hardware: dict[str, str]) -> None:
    """Raise `Refused` where what runs isn't what the study has measured so far."""
    wanted = study.settings
    if version != wanted.version:
        raise Refused(
            f"study {study.name} is of {wanted.model} version {wanted.version}; "
            f"now version {version} answers"
        )
    check_same(study.hardware, hardware)
