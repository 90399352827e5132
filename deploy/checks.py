"""The checks of a canary: figures and one limit come in, a line goes out that says what is wrong.

Most allow for chance, so that a good version isn't taken back for the noise of a hundred requests;
`deploy.chance` says how, and what it takes for granted; of `fewest` rows it is no guess. Called by
`deploy.verdict`.
"""

from typing import NamedTuple

from deploy.chance import labels_apart, least_share, numbers_apart
from deploy.figures import Figures


class Line(NamedTuple):
    """A figure for a table, in words: of both versions, and its limit; `breach` says what is wrong."""

    figure: str
    live: str
    canary: str
    limit: str
    breach: str = ""


def requests(live: Figures, canary: Figures, fewest: int) -> Line:
    """Tell how many there were; too few are no breach."""
    return Line("requests", f"{live.requests:,.0f}", f"{canary.requests:,.0f}", f"at least {fewest:,}")


def errors(live: Figures, canary: Figures, most: float) -> Line:
    """Hold the share of 5xx against the live version's, which has none where nothing is broken."""
    of_live, of_canary = live.error_rate or 0.0, canary.error_rate or 0.0
    line = Line("errors", _share(of_live), _share(of_canary), f"{_share(most)} more")
    if of_canary - of_live <= most:
        return line
    return line._replace(
        breach=f"{_share(of_canary)} of its requests fail with 5xx, of the live version's "
        f"{_share(of_live)}: at most {_share(most)} more is allowed"
    )


def refused(live: Figures, canary: Figures, most: float) -> Line:
    """Hold the share of 4xx against the live version's, as far as it isn't chance."""
    of_live, of_canary = live.refused_rate or 0.0, canary.refused_rate or 0.0
    line = Line("refused", _share(of_live), _share(of_canary), f"{_share(most)} more")
    if least_share(of_canary * canary.requests, canary.requests) - of_live <= most:
        return line
    return line._replace(
        breach=f"{_share(of_canary)} of its requests are refused with 4xx, of the live version's "
        f"{_share(of_live)}: at most {_share(most)} more is allowed"
    )


def p99(reference: float | None, canary: Figures, most: float, floor: float) -> Line:
    """Hold the p99 against `most` times the live version's, in seconds; below `floor` all are good."""
    of_canary = canary.p99_seconds
    line = Line("p99", _time(reference), _time(of_canary), f"{most:g} times")
    if of_canary is None or reference is None or of_canary <= floor:
        return line
    surely = of_canary if canary.p99_low_seconds is None else canary.p99_low_seconds
    if surely <= most * reference:
        return line
    return line._replace(
        breach=f"p99 is {_time(of_canary)}, the live version's is {_time(reference)}: "
        f"{of_canary / reference:.2g} times as much, at most {most:g} times is allowed"
    )


def disagreement(canary: Figures, most: float, fewest: int) -> Line:
    """Hold the share of rows with another answer against `most`, as far as it isn't chance."""
    found = canary.shadowed
    rows, of = found.disagreeing, found.compared
    line = Line("disagreement", "", _share(rows / of) if of else "", _share(most))
    if of < fewest or least_share(rows, of) <= most:
        return line
    return line._replace(
        breach=f"it answers {rows:,.0f} of {of:,.0f} rows otherwise than the live version "
        f"({_share(rows / of)}): at most {_share(most)} is allowed"
    )


def failed(canary: Figures) -> Line:
    """Tell for which share of the rows it was asked as a shadow it failed. That is no breach.

    A call fails with all of its rows, so that the share is too large wherever rows wait for each
    other. What a version refuses or breaks on is judged by its own requests.
    """
    rows, of = canary.shadowed.failed, canary.shadowed.asked
    return Line("failed as shadow", "", _share(rows / of) if of else "", "")


def drift(live: Figures, canary: Figures, most: float, fewest: int) -> Line:
    """Hold the distance of both versions' answers against `most`, as far as it isn't chance."""
    one, two = live.answers, canary.answers
    line = Line("drift", "", "", f"{most:g}")
    if min(one.count, two.count) < fewest or bool(one.labels) != bool(two.labels):
        return line
    if one.labels:
        apart = labels_apart(one.labels, two.labels)
        words = (
            f"its labels are distributed otherwise, {apart.distance:.2g} apart (0 is alike, 1 disjoint)"
        )
    else:
        apart = numbers_apart((one.count, one.total, one.squares), (two.count, two.total, two.squares))
        words = (
            f"the mean of its answers is {two.total / two.count:.4g}, the live version's is "
            f"{one.total / one.count:.4g}: {apart.distance:.2g} standard deviations apart"
        )
    line = line._replace(canary=f"{apart.distance:.2g}")
    if not apart.distance > most + apart.chance:  # nor where it is NaN: a model may answer that
        return line
    return line._replace(
        breach=f"{words}: at most {most:g} is allowed, and {apart.chance:.2g} for chance"
    )


def _share(share: float) -> str:
    return f"{share * 100:.3g} %"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    thousandths = seconds * 1000
    digits = 0 if thousandths >= 10 else 1 if thousandths >= 1 else 2
    return f"{thousandths:.{digits}f} ms"
