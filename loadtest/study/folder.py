"""Studies on disk: each has a folder of its own under loadtest/results/, with study.json in it.

Written after every run, beside and then renamed: an interrupted sweep leaves a whole file.
"""

import os
from pathlib import Path

import msgspec

from deploy.errors import Refused
from loadtest.study.study import SCHEMA, Study

RESULTS = Path(__file__).resolve().parents[1] / "results"
STUDY = "study.json"


def save(study: Study, folder: Path) -> None:
    """Write the study into its folder, which is made where it isn't there."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{STUDY}.new"
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(study), indent=1))
        file.flush()
        os.fsync(file.fileno())
    beside.rename(folder / STUDY)


def load(folder: Path) -> Study:
    """Read the study in a folder; raise `Refused` where there is none that can be read."""
    try:
        study = msgspec.json.decode((folder / STUDY).read_bytes(), type=Study)
    except OSError as error:
        raise Refused(f"no study in {folder}: {STUDY}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(f"{folder / STUDY} can't be read: {error}") from error
    if study.schema != SCHEMA:
        raise Refused(f"{folder / STUDY} has schema {study.schema}, this flotilla reads {SCHEMA}")
    return study


def find(name: str | None, results: Path = RESULTS) -> Path:
    """Return the folder of a study by its name or path, the newest one's without a name.

    Raises `Refused` where there is none, naming those that there are.
    """
    if name and (Path(name) / STUDY).is_file():
        return Path(name)
    folders = sorted((each.parent for each in results.glob(f"*/{STUDY}")), key=_created)
    if not folders:
        raise Refused(f"no study in {results}; `flotilla sweep` makes one")
    if name is None:
        return folders[-1]
    for folder in folders:
        if folder.name == name:
            return folder
    raise Refused(f"no study {name}; there are {', '.join(each.name for each in folders)}")


def _created(folder: Path) -> float:
    try:
        return load(folder).created
    except Refused:
        return 0.0  # what can't be read isn't the newest
