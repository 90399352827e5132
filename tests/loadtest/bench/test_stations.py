"""Stations: a sampled frame's file says where the time went; py-spy's refusal is one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.bench.processes import StartError
from loadtest.bench.stations import LOOP_STATION, sampling, station_of, stations

RAW = """\
run (a.py:1);ASGIWorker.run (gunicorn/workers/gasgi.py:155) 30
run (a.py:1);V1.decode (service/protocols/v1.py:42) 5
run (a.py:1);V1.encode (service/protocols/v1.py:60) 3
run (a.py:1);Session.run (onnxruntime/capi/onnxruntime_inference_collection.py:406) 9
run (a.py:1);Condition.wait (threading.py:327) 1
"""


def test_innermost_frames_are_added_up() -> None:
    """A service's module, a package or a file of Python's own is a station, the largest first."""
    found = stations(RAW)
    assert {name: station.samples for name, station in found.items()} == {
        LOOP_STATION: 30,
        "onnxruntime": 9,
        "service/protocols/v1.py": 8,
        "threading": 1,
    }
    assert next(iter(found)) == LOOP_STATION
    assert found["service/protocols/v1.py"].functions.most_common(1) == [("V1.decode", 5)]


@pytest.mark.parametrize(
    ("frame", "station"),
    [
        ("Protocol.send (gunicorn/asgi/protocol.py:22)", ("gunicorn", "Protocol.send")),
        ("<listcomp> (service/rows.py:58)", ("service/rows.py", "<listcomp>")),
        ("<module> (<string>)", ("<string>", "<module>")),
    ],
)
def test_station_of(frame: str, station: tuple[str, str]) -> None:
    """A frame without a line number has a station too."""
    assert station_of(frame) == station


def test_a_process_that_is_not_there(tmp_path: Path) -> None:
    """What py-spy can't look into is an error with its own last words."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with (
        pytest.raises(StartError, match="py-spy can't look into the worker"),
        sampling(ended.pid, 1, tmp_path / "raw"),
    ):
        pass
