"""The edge cache's folder: in memory, this user's alone, gone with the stack."""

from pathlib import Path

import pytest

from deploy.local import edge
from deploy.local.edge import edge_folder, make_edge_folder, remove_edge_folder
from deploy.local.settings import LocalSettings
from service.settings import SettingError


def test_made_anew_and_removed(tmp_path: Path) -> None:
    """Each stack has a folder of its own, empty at its start, that nobody else may read."""
    assert edge_folder(tmp_path) != edge_folder(tmp_path / "other")
    try:
        folder = make_edge_folder(tmp_path)
        (folder / "entry").touch()
        assert make_edge_folder(tmp_path) == folder
        assert list(folder.iterdir()) == []
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        remove_edge_folder(tmp_path)
    assert not edge_folder(tmp_path).exists()
    remove_edge_folder(tmp_path)


def test_without_a_file_system_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, the folder is the stack's own."""
    monkeypatch.setattr(edge, "MEMORY", tmp_path / "nowhere")
    assert edge_folder(tmp_path) == tmp_path / "run" / "edge"


@pytest.mark.parametrize("text", ["lots", "64", "-1m", "64m; lua_code", "1g"])
def test_a_size_is_nginxs(text: str) -> None:
    """What nginx wouldn't take as a size stops the start with a sentence."""
    with pytest.raises(SettingError, match=r"^EDGE_CACHE_SIZE='.*': expected something like 64m$"):
        LocalSettings.read({"EDGE_CACHE_SIZE": text})
    assert LocalSettings.read({"EDGE_CACHE_SIZE": "512k"}).edge_cache_size == "512k"
