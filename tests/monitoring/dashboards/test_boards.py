"""The committed dashboards: current, complete, and of nothing that isn't there."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitoring.dashboards import thresholds
from monitoring.dashboards.__main__ import BOARDS, FOLDER, file_of
from monitoring.dashboards.board import COLUMNS, Board

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "monitoring"
RULES = "".join(file.read_text() for file in sorted((MONITORING / "rules").glob("*.yml")))
CATALOGUE = set(re.findall(r"^\| `(\w+)`", (MONITORING / "METRICS.md").read_text(), re.MULTILINE))
RECORDED = set(re.findall(r"record: (\S+)", RULES))
# What isn't ours: series of Prometheus, of prometheus_client, of the exporters of nginx and Redis.
# https://github.com/nginx/nginx-prometheus-exporter#exported-metrics
# https://github.com/oliver006/redis_exporter#whats-exported
OTHERS = {
    *("up", "ALERTS", "scrape_samples_scraped", "prometheus_tsdb_head_series"),
    *("process_cpu_seconds_total", "process_open_fds", "process_resident_memory_bytes"),
    *("process_start_time_seconds", "python_gc_collections_total"),
    *("nginx_up", "redis_up"),
    *("redis_evicted_keys_total", "redis_memory_max_bytes", "redis_memory_used_bytes"),
}
NUMBER = r"[0-9.]+"


def panels(board: Board) -> list[dict[str, Any]]:
    """Return what the committed file has, without the rows' headings."""
    shown: list[dict[str, Any]] = json.loads(file_of(board).read_text())["panels"]
    return [each for each in shown if each["type"] != "row"]


PANELS = [
    pytest.param(panel, id=f"{board.title}: {panel['title']}")
    for board in BOARDS
    for panel in panels(board)
]
each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.title)


def expressions(board: Board) -> list[str]:
    """Return all expressions of a dashboard's panels."""
    return [target["expr"] for panel in panels(board) for target in panel["targets"]]


def metrics(expression: str) -> set[str]:
    """Return the names of series in an expression."""
    bare = re.sub(
        r"\{[^}]*\}|\"[^\"]*\"|\b(by|on|ignoring|without|group_left)\s*\([^)]*\)", " ", expression
    )
    names = set(re.findall(r"(?<![$\w:])[a-zA-Z_][\w:]*(?!\s*\()(?![\w:])", bare))
    words = {"by", "on", "or", "and", "unless", "group_left", "offset", "bool", "e6", "s", "m", "h"}
    return names - words


@each_board
def test_committed_is_current(board: Board) -> None:
    """What Grafana is given is what the code says: run python -m monitoring.dashboards."""
    assert file_of(board).read_text() == board.render()


def test_no_other_dashboards() -> None:
    """Every file is a dashboard's, every dashboard has an address of its own."""
    assert set(FOLDER.iterdir()) == {file_of(board) for board in BOARDS}
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
    assert (MONITORING / "grafana" / "dashboards" / "overview.json").exists()


def test_grafana_finds_them() -> None:
    """Compose mounts the folder where the provisioning looks, and the first one is what opens."""
    compose = (ROOT / "docker-compose.yml").read_text()
    provider = (MONITORING / "grafana/provisioning/dashboards/flotilla.yml").read_text()
    inside = re.search(r"path: (\S+)", provider)[1]
    assert f"./monitoring/grafana/dashboards:{inside}:ro" in compose
    assert f"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: {inside}/{file_of(BOARDS[0]).name}" in compose


@pytest.mark.parametrize("panel", PANELS)
def test_panel_is_complete(panel: dict[str, Any]) -> None:
    """A panel has a title, a unit, thresholds, and a description that is a sentence."""
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert defaults["unit"]
    assert panel["description"].endswith(".")
    first, *steps = defaults["thresholds"]["steps"]
    assert first["value"] is None
    values = [step["value"] for step in steps]
    assert values == sorted(values)
    assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
    names = [target["refId"] for target in panel["targets"]]
    assert len(set(names)) == len(names) >= 1


@pytest.mark.parametrize("panel", PANELS)
def test_rates_have_grafanas_window(panel: dict[str, Any]) -> None:
    """A window that is written down would be too short for some scrapes, or too long to zoom in."""
    windows = {
        window for target in panel["targets"] for window in re.findall(r"\[([^]]*)\]", target["expr"])
    }
    assert windows <= {"$__rate_interval", "$__range"}


@each_board
def test_numbers_and_places(board: Board) -> None:
    """Panels have numbers of their own and don't overlap, and none reaches beyond the grid."""
    shown = json.loads(file_of(board).read_text())["panels"]
    assert len({each["id"] for each in shown}) == len(shown)
    places = [each["gridPos"] for each in shown]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    for one, other in itertools.combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


@each_board
def test_repeated_panels_are_last(board: Board) -> None:
    """What is below a repeated panel would be moved by as many replicas as there are."""
    assert not any("repeat" in panel for panel in panels(board)[:-1])


@each_board
def test_metrics_exist(board: Board) -> None:
    """Every series that is asked for is in METRICS.md, recorded by a rule, or a known exporter's."""
    asked = set().union(*map(metrics, expressions(board)))
    assert asked
    known = CATALOGUE | RECORDED | OTHERS
    # A histogram has three series, and is named once.
    assert {
        each for each in asked if not {each, re.sub(r"_(bucket|sum|count)$", "", each)} & known
    } == set()


@each_board
def test_variables(board: Board) -> None:
    """Every variable of an expression is defined, and every one that can be chosen is used."""
    text = " ".join(expressions(board))
    used = set(re.findall(r"\$(\w+)", text)) - {"__rate_interval", "__range"}
    assert used == {name for name, *_ in board.variables + board.typed}


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (
            rf"record: flotilla:error_budget:ratio\s+expr: vector\(({NUMBER})\)",
            thresholds.ERRORS.steps[0],
        ),
        (
            rf"record: flotilla:latency_objective:seconds\s+expr: vector\(({NUMBER})\)",
            thresholds.LATENCIES.steps[0],
        ),
        (rf"expr: model:flotilla_feature_psi:2m\{{[^}}]*\}} > ({NUMBER})", thresholds.PSIS.steps[1]),
    ],
    ids=["errors", "latency", "PSI"],
)
def test_thresholds_are_the_rules(pattern: str, value: tuple[float, str]) -> None:
    """A line in a dashboard is where the objective is, or where the alert fires."""
    assert {float(each) for each in re.findall(pattern, RULES)} == {value[0]}


def test_series_are_found_in_expressions() -> None:
    """The test above sees names among functions, labels and windows."""
    asked = (
        'sum by (model) (rate(a_total{b="c"}[$__rate_interval])) / on (d) group_left () x:y:1h > 1e6'
    )
    assert metrics(asked) == {"a_total", "x:y:1h"}
    assert metrics("histogram_quantile(0.5, sum by (le) (rate(f_bucket{}[1m]))) or vector(0)") == {
        "f_bucket"
    }
