"""Which study a sweep begins or goes on with, and when it may not."""

import re
from pathlib import Path

import pytest

from deploy.errors import Refused
from loadtest.study.folder import save
from loadtest.study.study import Study
from loadtest.sweep.studies import check_resumable, new_study, unfinished_study
from tests.loadtest.sweep.fakes import fake_study

MACHINE = {"commit": "1234567", "cpu": "a", "cores": "2", "load before": "0.1", "model digest": "d"}


def kept(results: Path, name: str, created: float, finished: float | None = None) -> Study:
    """Write a study into its folder."""
    study = fake_study(1)
    study.name, study.created, study.finished = name, created, finished
    study.hardware = MACHINE
    save(study, results / name)
    return study


def test_new_study_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Without a name it has the model's and the time; nothing is written yet."""
    study, folder = new_study(None, fake_study(1).settings, MACHINE, tmp_path)
    assert re.fullmatch(r"m-\d{8}-\d{6}", study.name)
    assert folder == tmp_path / study.name
    assert not folder.exists()


def test_no_study_is_overwritten(tmp_path: Path) -> None:
    """A name that is taken is refused, with how to go on with that study."""
    kept(tmp_path, "mine", 1.0)
    with pytest.raises(Refused, match="--resume mine"):
        new_study("mine", fake_study(1).settings, MACHINE, tmp_path)


@pytest.mark.parametrize("name", ["../mine", "", ".", "a b", "-x", "a" * 65])
def test_names_that_are_no_folders(tmp_path: Path, name: str) -> None:
    """A name can't lead out of the results' folder; an empty one counts as none."""
    if name:
        with pytest.raises(Refused, match="letters, digits"):
            new_study(name, fake_study(1).settings, MACHINE, tmp_path)
    else:
        assert new_study(name, fake_study(1).settings, MACHINE, tmp_path)[0].name


def test_newest_unfinished_study(tmp_path: Path) -> None:
    """Without a name it is the newest that isn't finished; what can't be read is none."""
    kept(tmp_path, "old", 1.0)
    newest = kept(tmp_path, "newest", 3.0)
    kept(tmp_path, "finished", 4.0, finished=5.0)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "study.json").write_text("{")
    assert unfinished_study(None, tmp_path) == (newest, tmp_path / "newest")


def test_named_study(tmp_path: Path) -> None:
    """A name takes that one; a finished one has nothing left to measure."""
    old = kept(tmp_path, "old", 1.0)
    kept(tmp_path, "newest", 3.0)
    kept(tmp_path, "finished", 4.0, finished=5.0)
    assert unfinished_study("old", tmp_path)[0] == old
    with pytest.raises(Refused, match="finished is finished"):
        unfinished_study("finished", tmp_path)
    with pytest.raises(Refused, match="no study other; there are"):
        unfinished_study("other", tmp_path)


def test_nothing_to_resume(tmp_path: Path) -> None:
    """Where all are finished, it says so."""
    kept(tmp_path, "finished", 4.0, finished=5.0)
    with pytest.raises(Refused, match="no unfinished study"):
        unfinished_study(None, tmp_path)


def test_same_things_go_on(tmp_path: Path) -> None:
    """The load of the machine is another each time; that is no reason."""
    check_resumable(kept(tmp_path, "a", 1.0), 1, {**MACHINE, "load before": "1.5", "new": "x"})


@pytest.mark.parametrize("name", ["commit", "cpu", "cores", "model digest"])
def test_other_things_are_no_same_study(tmp_path: Path, name: str) -> None:
    """Figures of two commits, machines or models aren't mixed; the reason names both."""
    with pytest.raises(Refused, match=f"{name} was {MACHINE[name]} and is other"):
        check_resumable(kept(tmp_path, "a", 1.0), 1, {**MACHINE, name: "other"})


def test_other_version(tmp_path: Path) -> None:
    """Nor are figures of two versions."""
    with pytest.raises(Refused, match="of m version 1; now version 2 answers"):
        check_resumable(kept(tmp_path, "a", 1.0), 2, MACHINE)
