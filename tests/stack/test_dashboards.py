"""Every query of every dashboard is asked of the Prometheus of a loaded stack, and gives data."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.supervisor import wait_until
from monitoring.dashboards.__main__ import BOARDS, file_of
from monitoring.dashboards.board import Board
from monitoring.dashboards.draw.page import Placed, ask, lay_out
from monitoring.dashboards.draw.source import Source, choose
from monitoring.dashboards.draw.spec import Dashboard, read
from tests.stack.local import LocalStack
from tests.stack.mixed import mixed_load, operate
from tests.stack.stack import free_ports

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    "nginx",
    "redis-server",
    "prometheus",
    "prometheus-nginx-exporter",
    "prometheus-redis-exporter",
)
pytestmark = pytest.mark.needs(*PROGRAMS)

# Drift needs two minutes of rows; everything else is there after a few looks of Prometheus'.
PATIENCE_SECONDS = 300
WINDOW_SECONDS = 120
# Queries that have nothing to show in this stack, each with the reason.
NOTHING_TO_SHOW: dict[str, str] = {}

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.title)


@contextmanager
def load_test(stack: LocalStack) -> Iterator[None]:
    """Run Locust beside the other traffic; it tells the stack's Prometheus where it is."""
    (port,) = free_ports(1, 27000)
    words = ("-f", "loadtest/locustfile.py", "--headless", "-u", "2", "-H", stack.url)
    process = subprocess.Popen(
        [sys.executable, "-m", "locust", *words, "--metrics-port", str(port)],
        cwd=ROOT,
        env={**os.environ, "FLOTILLA_HOME": str(stack.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def loaded() -> Iterator[LocalStack]:
    """Return a stack of its own under load of all kinds, with a split route and a shadow.

    Of its own, because second versions of the samples would surprise the other tests.
    """
    with LocalStack(CACHE_BY_MODEL="digits=always") as stack:
        operate(stack)
        with mixed_load(stack.url), load_test(stack):
            yield stack


def source(stack: LocalStack, dashboard: Dashboard, **chosen: str) -> Source:
    """Return the stack's Prometheus, looked at until now."""
    return choose(Source(stack.prometheus_url, time.time(), WINDOW_SECONDS), dashboard, chosen)


def missing(placed: Placed) -> list[str]:
    """Return the queries of a panel that give nothing, each with the panel's title."""
    found = ask(placed)
    empty = [target.expr for target in placed.panel.targets if not found[target.ref_id]]
    return [f"{placed.panel.title}: {expr}" for expr in empty if expr not in NOTHING_TO_SHOW]


def test_every_query_gives_data(loaded: LocalStack) -> None:
    """No panel stays empty on a loaded stack, with all models, versions and replicas chosen."""
    empty: dict[str, list[str]] = {board.title: ["not asked yet"] for board in BOARDS}

    def none_is_empty() -> bool:
        for board in (each for each in BOARDS if empty[each.title]):
            dashboard = read(file_of(board))
            placed = lay_out(dashboard, source(loaded, dashboard))
            empty[board.title] = [expr for each in placed for expr in missing(each)]
        return not any(empty.values())

    assert wait_until(none_is_empty, PATIENCE_SECONDS), "\n".join(
        f"{title}: {expr}" for title, several in empty.items() for expr in several
    )


@each_board
def test_variables_have_values(loaded: LocalStack, board: Board) -> None:
    """What can be chosen is what is there, and a choice is taken up by the queries."""
    dashboard = read(file_of(board))
    chosen = {"model": "digits", "version": "1|2", "replica": "replica-1"}
    for variable in dashboard.templating.list:
        if variable.type == "textbox":
            continue
        values = source(loaded, dashboard).label_values(variable.query)
        assert set(chosen[variable.name].split("|")) <= set(values), variable.name
    narrowed = source(loaded, dashboard, **chosen)
    found = [missing(placed) for placed in lay_out(dashboard, narrowed) if placed.panel.targets]
    assert found.count([]) > len(found) / 2


def test_cache_shares_add_up(loaded: LocalStack) -> None:
    """The shares of the cache tiers are shares of one whole, the edge's included."""
    dashboard = read(file_of(BOARDS[0]))
    (caches,) = [each for each in dashboard.panels if each.title == "Caches"]
    found = ask(Placed(caches, caches.grid_pos, source(loaded, dashboard)))
    shares = [each.values[-1] for several in found.values() for each in several]
    assert sum(shares) == pytest.approx(1)
    assert sum(share > 0 for share in shares) >= 3


def test_draw(loaded: LocalStack, tmp_path: Path) -> None:
    """All dashboards become pictures."""
    draw = [
        sys.executable,
        "-m",
        "monitoring.dashboards.draw",
        "--out",
        str(tmp_path),
        "--minutes",
        "2",
    ]
    subprocess.run([*draw, "--prometheus", loaded.prometheus_url], check=True, cwd=ROOT, timeout=120)
    assert {file.stem for file in tmp_path.iterdir()} == {file_of(board).stem for board in BOARDS}
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in tmp_path.iterdir())
