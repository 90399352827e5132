"""Writes the JSON of every dashboard: `python -m monitoring.dashboards`. It is committed."""

from pathlib import Path

from monitoring.dashboards.board import Board
from monitoring.dashboards.capacity import CAPACITY
from monitoring.dashboards.load_test import LOAD_TEST
from monitoring.dashboards.model import MODEL
from monitoring.dashboards.overview import OVERVIEW
from monitoring.dashboards.replicas import REPLICAS

BOARDS: tuple[Board, ...] = (OVERVIEW, REPLICAS, MODEL, LOAD_TEST, CAPACITY)
FOLDER = Path(__file__).resolve().parents[1] / "grafana" / "dashboards"


def file_of(board: Board) -> Path:
    """Return the file of a dashboard's JSON."""
    return FOLDER / f"{board.uid.removeprefix('flotilla-')}.json"


def main() -> None:
    """Write all files, and remove those of dashboards that are no more."""
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.json")) - {file_of(board) for board in BOARDS}:
        stale.unlink()
    for board in BOARDS:
        file_of(board).write_text(board.render())


if __name__ == "__main__":
    main()
