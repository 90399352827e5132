"""A line of nginx's tally: who answered, and what came of asking replicas."""

import re

import pytest

from monitoring.door.line import Request, read_line

DIGITS = ("digits", "1")
NOBODY = ("", "")

# Line with spaces for tabs ("~": empty), model and version, code, source, and the attempts.
LINES = {
    "a replica answers": ("digits 1 200 MISS r-1 200", DIGITS, "200", "replica", {"answered": 1}),
    "past the edge cache": ("digits 1 200 ~ r-1 200", DIGITS, "200", "replica", {"answered": 1}),
    "the edge answers": ("digits 1 200 HIT r-1 ~", DIGITS, "200", "edge", {}),
    "no such route": ("nope ~ 404 ~ ~ ~", NOBODY, "404", "nginx", {}),
    "too large": ("digits ~ 413 ~ ~ ~", NOBODY, "413", "nginx", {}),
    "no such version": ("digits ~ 404 ~ r-1 404", NOBODY, "404", "replica", {"answered": 1}),
    "a name that is none": ("~ ~ 404 ~ r-1 404", NOBODY, "404", "replica", {"answered": 1}),
    "a bad row": ("digits 1 400 MISS r-1 400", DIGITS, "400", "replica", {"answered": 1}),
    "a replica's own 500": ("digits 1 500 MISS r-1 500", DIGITS, "500", "replica", {"answered": 1}),
    "a replica's own 504": ("digits 1 504 MISS r-1 504", DIGITS, "504", "replica", {"answered": 1}),
    "refused, then answered": (
        "digits 1 200 MISS r-2 502, 200",
        DIGITS, "200", "replica", {"failed": 1, "answered": 1},
    ),
    "silent, then answered": (
        "digits 1 200 MISS r-2 504, 200",
        DIGITS, "200", "replica", {"silent": 1, "answered": 1},
    ),
    "gone, then answered": (
        "digits 1 200 MISS r-2 504, 504 : 504, 200/-, 0.001 : -, 0.000",
        DIGITS, "200", "replica", {"failed": 2, "silent": 1, "answered": 1},
    ),
    "gone": ("digits ~ 503 ~ ~ 504/-", NOBODY, "503", "nginx", {"failed": 1}),
    "a 503 that isn't a replica's": ("digits ~ 503 ~ ~ 503", NOBODY, "503", "nginx", {"failed": 1}),
    "not ready, then answered": (
        "digits 1 200 MISS r-2 503, 503, 200",
        DIGITS, "200", "replica", {"answered": 3},
    ),
    "none is ready": ("digits ~ 503 ~ r-2 503, 503", NOBODY, "503", "replica", {"answered": 2}),
    "answered at the second round": (
        "digits 1 200 ~ r-2 502, 502 : 502, 200",
        DIGITS, "200", "replica", {"failed": 3, "answered": 1},
    ),
    "nobody is there": ("digits ~ 503 ~ ~ 502, 502 : 502", NOBODY, "503", "nginx", {"failed": 3}),
    # nginx keeps the headers of the attempt before.
    "not ready, then gone": (
        "digits ~ 503 ~ r-1 503, 502", NOBODY, "503", "nginx", {"answered": 1, "failed": 1},
    ),
    "not ready, then silent": (
        "digits ~ 503 ~ r-1 503, 504", NOBODY, "503", "nginx", {"answered": 1, "silent": 1},
    ),
    "the client left at once": ("digits ~ 499 ~ ~ ~", NOBODY, "499", "nginx", {}),
    "the client left before the reply": (
        "digits ~ 499 MISS ~ -", NOBODY, "499", "nginx", {"abandoned": 1},
    ),
    "the client left during a retry": (
        "digits ~ 499 MISS r-1 503, 502, -",
        NOBODY, "499", "nginx", {"answered": 1, "failed": 1, "abandoned": 1},
    ),
    "the client left during the reply": (
        "digits 1 499 MISS r-1 200", DIGITS, "499", "replica", {"answered": 1},
    ),
    "refused by a web server": ("digits ~ 400 ~ ~ 400", NOBODY, "400", "nginx", {"failed": 1}),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES.values(), ids=LINES)
def test_line(case: tuple) -> None:
    """Each line counts one request, by who answered, and each attempt by what came of it."""
    text, version, code, source, attempts = case
    *fields, attempted = text.split(" ", 5)
    # How long connecting took stands behind a slash; by default some time for each attempt.
    attempted, _, times = attempted.partition("/")
    fields += [attempted, times or re.sub("[0-9-]+", "0.001", attempted)]
    line = "\t".join("" if field == "~" else field for field in fields).encode()
    read = read_line(line)
    assert read.request == Request(*version, code, source)
    assert dict(read.attempts) == attempts


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"digits",
        b"digits\t1\t200",
        b"digits\t1\t2000\tHIT\tr\t",
        b"digits\t1\t\tHIT\tr\t",
        b"\0" * 9,
    ],
)
def test_no_line(line: bytes) -> None:
    """What isn't a line of the tally is refused with what was expected."""
    with pytest.raises(ValueError, match="expected"):
        read_line(line)


def test_a_client_makes_no_series() -> None:
    """However many models a client makes up, they are one series."""
    made_up = {read_line(b"model-%d\t\t404\t\t\t\t" % number).request for number in range(100)}
    assert made_up == {Request("", "", "404", "nginx")}
