"""The rules of drift compute what numpy computes. That they fire and stay silent: test_rules.py."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

RULES = Path(__file__).resolve().parents[2] / "monitoring" / "rules"
EVERY_SECONDS = 10
WINDOWS = {"2m": 120, "1h": 3600}
TOLERANCE = 1e-6

pytestmark = pytest.mark.needs("promtool")


def promtool(*words: str) -> None:
    """Run promtool and fail with what it says where it does."""
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def psi(now: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """Return the population stability index of two distributions."""
    return float(np.sum((now - before) * np.log(now / before)))


def js_distance(now: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """Return the square root of the Jensen-Shannon divergence in bits."""
    middle = (now + before) / 2
    one = np.sum(now * np.log2(now / middle))
    other = np.sum(before * np.log2(before / middle))
    return float(np.sqrt((one + other) / 2))


def test_js_distance_of_nothing_in_common() -> None:
    """The reference itself: 0 between equal distributions, 1 between those that share nothing."""
    half = np.array([0.5, 0.5])
    assert js_distance(half, half) == 0
    apart = js_distance(np.array([1 - 1e-12, 1e-12]), np.array([1e-12, 1 - 1e-12]))
    assert apart == pytest.approx(1)


@pytest.mark.parametrize("window", WINDOWS)
def test_indices_are_numpys(window: str, tmp_path: Path) -> None:
    """PSI and distance of counts merged over replicas are numpy's, with empty bins and many of them."""
    random = np.random.default_rng(1)
    steps = WINDOWS[window] // EVERY_SECONDS
    minutes = 2 * WINDOWS[window] // 60
    series, checks = [], []
    for feature, bins in {"two": 2, "ten": 10, "hundred": 100}.items():
        share = random.dirichlet(np.full(bins, 3.0))
        # Rows of each bin, each replica, each ten seconds; one bin gets none.
        rates = random.integers(1, 1000, (2, bins))
        rates[:, 0] = 0
        for replica, row in enumerate(rates):
            for at in range(bins):
                of = f'{{model="m",version="1",feature="{feature}",bin="{at}",replica="r{replica}"}}'
                series += [
                    {"series": f"flotilla_baseline_share{of}", "values": f"{share[at]!s}x{2 * steps}"},
                    {"series": f"flotilla_drift_rows_total{of}", "values": f"0+{row[at]}x{2 * steps}"},
                ]
        rows = rates.sum(axis=0) * float(steps)
        now = (rows + share) / (rows.sum() + 1)
        for name, expected in (("psi", psi(now, share)), ("js_distance", js_distance(now, share))):
            query = f'model:flotilla_feature_{name}:{window}{{feature="{feature}"}}'
            checks.append(
                {
                    "expr": f"abs({query} - {expected!r}) < bool {TOLERANCE}",
                    "eval_time": f"{minutes}m",
                    "exp_samples": [
                        {"labels": f'{{model="m",version="1",feature="{feature}"}}', "value": 1}
                    ],
                }
            )
    test = tmp_path / "numpy.yaml"  # JSON is YAML
    test.write_text(
        json.dumps(
            {
                "rule_files": [str(RULES / "drift.yml")],
                "evaluation_interval": "1m",
                "tests": [
                    {
                        "interval": f"{EVERY_SECONDS}s",
                        "input_series": series,
                        "promql_expr_test": checks,
                    }
                ],
            }
        )
    )
    promtool("test", "rules", str(test))
