"""The engine alone: calls counted, with the rows of the bodies."""

from pathlib import Path

from loadtest.bench.in_process import engine_alone
from loadtest.bench.wrk import write_bodies


def test_engine_alone_counts_calls(sample_registry: Path, tmp_path: Path) -> None:
    """More rows a second in batches than one by one: a call has its own cost."""
    write_bodies(tmp_path)
    version = sample_registry / "digits" / "1"
    one, batch = (engine_alone(version, tmp_path / f"{name}.txt", 0.2) for name in ("unique", "batch"))
    assert batch.requests_per_second * 64 > 2 * one.requests_per_second > 2000
    assert 0 < one.p50_ms <= one.p99_ms
