"""Lines of logs: those of every part are read, as each of them writes them."""

from datetime import datetime

import pytest

from deploy.logs.entry import Reader, level_of


def local(*numbers: int) -> float:
    """Return the Unix time of a time in the zone of this machine."""
    return datetime(*numbers).timestamp()


# All of them were written by the real programs.
LINES = {
    "replica": (
        '{"time":"2026-11-26T00:25:02.237+00:00","level":"warning","logger":"service.requests",'
        '"message":"requests refused","count":3,"code":429,"request_id":"abc"}',
        (1795652702.237, "warning", "requests refused"),
    ),
    "nginx access": (
        '{"time":"2026-11-26T00:25:02+00:00","unix_seconds":1795652702.238,"request_id":"abc",'
        '"client":"127.0.0.1","method":"POST","path":"/v1/models/digits:predict","status":200,'
        '"seconds":0.002,"bytes_in":176,"bytes_out":296,"version":"1"}',
        (1795652702.238, "info", "POST /v1/models/digits:predict 200 in 0.002 s"),
    ),
    "prometheus 2": (
        '{"caller":"main.go:973","level":"info","msg":"Server is ready to receive web requests.",'
        '"ts":"2026-11-26T00:24:51.104Z"}',
        (1795652691.104, "info", "Server is ready to receive web requests."),
    ),
    "prometheus 3": (
        '{"time":"2026-11-26T00:24:51.104123456Z","level":"WARN","source":"main.go:1","msg":"x"}',
        (1795652691.104123, "warning", "x"),
    ),
    "nginx error": (
        "2026/11/26 00:05:53 [error] 123#0: *4 connect() to unix:run/0.sock failed",
        (
            local(2026, 11, 26, 0, 5, 53),
            "error",
            "123#0: *4 connect() to unix:run/0.sock failed",
        ),
    ),
    "an old exporter": (
        "2026/11/26 00:51:13 NGINX Prometheus Exporter has successfully started",
        (local(2026, 11, 26, 0, 51, 13), "info", "NGINX Prometheus Exporter has successfully started"),
    ),
    "supervisord": (
        "2026-11-26 00:24:03,884 CRIT Supervisor is running as root.",
        (local(2026, 11, 26, 0, 24, 3, 884000), "error", "Supervisor is running as root."),
    ),
    "redis": (
        "9975:M 26 Nov 2026 00:24:05.177 * Running mode=standalone, port=0.",
        (local(2026, 11, 26, 0, 24, 5, 177000), "info", "Running mode=standalone, port=0."),
    ),
    "redis, worried": (
        "9975:M 26 Nov 2026 00:24:05.177 # WARNING overcommit must be enabled!",
        (
            local(2026, 11, 26, 0, 24, 5, 177000),
            "warning",
            "WARNING overcommit must be enabled!",
        ),
    ),
    "an exporter": (
        'ts=2026-11-26T00:24:05.601Z caller=main.go:551 level=error msg="no connection"',
        (1795652645.601, "error", 'caller=main.go:551 level=error msg="no connection"'),
    ),
}


@pytest.mark.parametrize(("line", "expected"), LINES.values(), ids=LINES)
def test_line(line: str, expected: tuple[float, str, str]) -> None:
    """Time, level and message are found in the form of every part."""
    entry = Reader("part").read(line)
    assert (entry.time, entry.level, entry.message) == (pytest.approx(expected[0]), *expected[1:])
    assert (entry.part, entry.text) == ("part", line)


def test_members() -> None:
    """What JSON has beyond the usual is kept by name."""
    assert Reader("r").read(LINES["replica"][0]).members == {
        "logger": "service.requests",
        "count": 3,
        "code": 429,
        "request_id": "abc",
    }
    assert "status" not in Reader("r").read(LINES["nginx access"][0]).members


@pytest.mark.parametrize(("status", "level"), [(200, "info"), (429, "warning"), (500, "error")])
def test_level_of_a_request(status: int, level: str) -> None:
    """A request that failed is an error, one that was refused a warning."""
    line = LINES["nginx access"][0].replace("200", str(status))
    assert Reader("access").read(line).level == level


@pytest.mark.parametrize(
    "line", ["Traceback (most recent call last):", "", "{", '{"time": "soon"}', "{}", "[1]"]
)
def test_what_has_no_form_goes_with_the_line_before(line: str) -> None:
    """A line without a time is of the moment, and as bad, as the one before it."""
    reader = Reader("redis")
    before = reader.read(LINES["redis, worried"][0])
    entry = reader.read(line)
    assert (entry.time, entry.level, entry.message) == (before.time, "warning", line)


def test_levels() -> None:
    """All programs' words for a level are one of four."""
    words = ("DEBG", "INFO", "notice", "WARN", "warning", "CRIT", "emerg", "strange")
    assert [level_of(word) for word in words] == [
        *("debug", "info", "info", "warning", "warning", "error", "error", "info")
    ]
