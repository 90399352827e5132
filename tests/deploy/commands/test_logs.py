"""`flotilla logs`: of files and of a pipe, a request's lines of all parts in their order."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from deploy.errors import Refused
from deploy.logs.sources import LogFolder, Piped
from deploy.logs.wanted import Wanted, ago
from tests.polling import PATIENCE_SECONDS

NOW = 1795652702.0
LOCAL_TIME = datetime.fromtimestamp(NOW).strftime("%Y/%m/%d %H:%M:%S")


def replica_line(seconds: float, message: str, level: str = "info", **more: object) -> str:
    """Return a line as a replica writes it, so many seconds after `NOW`."""
    at = datetime.fromtimestamp(NOW + seconds, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": at, "level": level, "logger": "service", "message": message, **more})


def access_line(seconds: float, request_id: str, status: int = 200) -> str:
    """Return a line as nginx writes it."""
    return json.dumps(
        {
            "time": "2026-11-26T00:25:02+00:00",
            "unix_seconds": NOW + seconds,
            "request_id": request_id,
            "method": "POST",
            "path": "/v1/models/m:predict",
            "status": status,
            "seconds": 0.002,
            "replica": "replica-2",
        }
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a stack that has logs: two replicas, nginx' two, one of them turned over."""
    logs = {
        "replica-1.log": [replica_line(0.0, "one"), replica_line(3.0, "about xyz", request_id="other")],
        "replica-2.log": [
            replica_line(1.0, "a request failed", "error", request_id="xyz", exception="T\nE: why"),
            replica_line(2.0, "two"),
        ],
        "access.log.1": [access_line(0.5, "old"), access_line(0.6, "xyz", 502)],
        "access.log": [access_line(1.5, "xyz", 500), access_line(1.6, "xyzz")],
        "nginx.log": [f"{LOCAL_TIME} [error] 1#0: xyz is named here"],
    }
    (tmp_path / "logs").mkdir()
    for name, lines in logs.items():
        (tmp_path / "logs" / name).write_text("".join(line + "\n" for line in lines))
    return tmp_path


def show(home: Path, *words: str, expect: int = 0, piped: str | None = None) -> Result:
    """Run the command."""
    environ = {"FLOTILLA_HOME": str(home)}
    done = CliRunner().invoke(main, ["logs", *words], env=environ, input=piped)
    assert done.exit_code == expect, done.output
    return done


def parts(done: Result) -> list[tuple[str, str]]:
    """Return part and message of each line of `--json`, or status where it is nginx's."""
    entries = [json.loads(line) for line in done.output.splitlines()]
    return [(each["part"], str(each.get("status") or each["message"])) for each in entries]


def test_all_but_the_access_log(home: Path) -> None:
    """By default all parts' lines come in order of time, but for nginx's access log."""
    assert parts(show(home, "--json")) == [
        ("nginx", "1#0: xyz is named here"),
        ("replica-1", "one"),
        ("replica-2", "a request failed"),
        ("replica-2", "two"),
        ("replica-1", "about xyz"),
    ]
    assert parts(show(home, "access", "--json", "--lines", "1")) == [("access", "200")]


def test_a_request(home: Path) -> None:
    """A request's lines come from all parts, of files turned over as well, and no other's."""
    assert parts(show(home, "--request-id", "xyz", "--json")) == [
        ("nginx", "1#0: xyz is named here"),
        ("access", "502"),
        ("replica-2", "a request failed"),
        ("access", "500"),
    ]
    assert parts(show(home, "--request-id", "xy", "--json")) == [("nginx", "1#0: xyz is named here")]
    assert show(home, "--request-id", "nobody").output == ""


def test_a_log_that_is_being_turned_over(home: Path) -> None:
    """A request is found while nginx's log has been renamed and the new one isn't there yet."""
    access = home / "logs" / "access.log"
    access.rename(access.with_name("access.log.1"))
    assert ("access", "500") in parts(show(home, "--request-id", "xyz", "--json"))


def test_for_people(home: Path) -> None:
    """A line has time, part, level, message and members; a trace stands below it."""
    line, *trace = show(home, "replica-2", "--level", "error").output.splitlines()
    assert line.split() == [
        *line.split()[:2],
        *("replica-2", "error", "a", "request", "failed", "request_id=xyz"),
    ]
    assert [each.strip() for each in trace] == ["T", "E: why"]


def test_level(home: Path) -> None:
    """Only what is as bad is shown."""
    assert parts(show(home, "--json", "--level", "error")) == [
        ("nginx", "1#0: xyz is named here"),
        ("replica-2", "a request failed"),
    ]


def test_since(home: Path) -> None:
    """Only what isn't older is shown, however many lines that are."""
    with (home / "logs" / "replica-1.log").open("a") as file:
        for number in range(50):
            file.write(replica_line(time.time() - NOW - 1, f"new {number}") + "\n")
    assert len(parts(show(home, "--json", "--since", "1m", "replica-1"))) == 50
    assert len(parts(show(home, "--json", "--since", "10000d", "replica-1"))) == 52
    assert len(parts(show(home, "--json", "replica-1"))) == 20


@pytest.mark.parametrize("words", [("nope",), ("--since", "soon"), ("-", "replica-1"), ("-", "-f")])
def test_refused(home: Path, words: tuple[str, ...]) -> None:
    """What can't be shown is one sentence."""
    assert show(home, *words, expect=1).output.startswith("Error: ")


def test_unknown_name(home: Path) -> None:
    """For an unknown name the logs there are are named."""
    said = show(home, "nope", expect=1).output
    assert "no log of nope; there are access, nginx, replica-1, replica-2" in said


def test_follow(home: Path) -> None:
    """What comes while it is followed comes once, of a log turned over or just begun as well."""
    folder = LogFolder(home / "logs", (), Wanted(request_id="new"))
    assert folder.batch() == []
    batches = folder.follow()
    access, started = home / "logs" / "access.log", home / "logs" / "replica-3.log"
    with access.open("a") as file:
        file.write(access_line(5.0, "new", 503) + "\n")
    access.rename(access.with_name("access.log.1"))
    access.write_text(access_line(7.0, "new") + "\n" + access_line(7.5, "other") + "\n")
    started.write_text(replica_line(6.0, "hello", request_id="new") + "\n")
    assert [(each.part, each.time - NOW) for each in next(batches)] == [
        ("access", 5.0),
        ("replica-3", 6.0),
        ("access", 7.0),
    ]
    assert next(batches) == []
    folder.close()


# As `docker compose logs` writes them: names padded to the longest one.
PIPED = f"""\
redis-1       | 1:M 26 Nov 2026 00:24:05.177 * Running mode=standalone, port=6379.
service-2     | {replica_line(1.0, "a request failed", "error", request_id="xyz")}
nginx-1       | {access_line(1.5, "xyz", 500)}
nginx-1       | {access_line(1.6, "other")}
nginx-1       | 2026/11/26 00:25:02 [error] 22#22: *1 connect() failed (111: Connection refused)
service-1     | {replica_line(0.5, "asked first", request_id="xyz")}
prometheus-1  | {{"time":"2026-11-26T00:24:51.1Z","level":"INFO","msg":"ready"}}
"""


def test_piped(home: Path) -> None:
    """What Docker writes is read likewise: names taken off, a request's lines in order of time."""
    found = parts(show(home, "--json", "--request-id", "xyz", "-", piped=PIPED))
    assert found == [
        ("service-1", "asked first"),
        ("service-2", "a request failed"),
        ("nginx-1", "500"),
    ]
    assert len(parts(show(home, "--json", "-", piped=PIPED))) == 7


def test_piped_with_times_and_colours(home: Path) -> None:
    """Docker's colours and its own times are taken off as well; other lines are shown as they are."""
    line = replica_line(1.0, "hello", request_id="xyz")
    piped = f"\x1b[36mservice-1  | \x1b[0m2026-11-26T00:25:03.123456789Z {line}\nno name before it\n"
    found = parts(show(home, "--json", "-", piped=piped))
    assert sorted(found) == [("", "no name before it"), ("service-1", "hello")]


def test_piped_is_shown_before_the_end() -> None:
    """A batch ends when nothing more comes for a moment, not when the other side does."""
    shown = threading.Event()

    def written() -> Iterator[str]:
        yield f"a-1  | {replica_line(0.0, 'first')}\n"
        assert shown.wait(PATIENCE_SECONDS)
        yield f"a-1  | {replica_line(0.0, 'second')}\n"

    taken = []
    for batch in Piped(written(), Wanted()).batches():
        taken += [entry.message for entry in batch]
        shown.set()
    assert taken == ["first", "second"]


def test_ago() -> None:
    """A time is a number and a unit."""
    for text, seconds in (("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)):
        assert ago(text) == pytest.approx(time.time() - seconds, abs=5)
    for text in ("", "10", "m", "-1m", "1w", "1m2"):
        with pytest.raises(Refused):
            ago(text)
