"""What a sweep measures with: the generator, usage, the servers' counts and the checks.

In one object, so that tests can give a server whose figures are known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from loadtest.study.study import Finding, Host, Part, Run, Settings, Step

if TYPE_CHECKING:
    from loadtest.generator.plan import Outcome, Plan


By = Literal["cgroup", "process"]


class Usage(Protocol):
    """What the stack's parts and the host use from `start` to `stop`."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> tuple[dict[str, Part] | None, Host | None]:
        """Return what was used since; None: it can't be seen from here."""


class Counts(Protocol):
    """What the stack itself has counted from `begin` to `end`; both wait for Prometheus."""

    def begin(self) -> None:
        """Begin."""

    def end(self) -> tuple[dict[str, int] | None, int | None]:
        """Return requests by replica, and those at the door; None: it couldn't be asked."""


@dataclass(frozen=True)
class Instruments:
    """Where a sweep gets its figures from."""

    generate: Callable[["Plan"], "Outcome"]
    usage: Callable[[dict[str, int], By], Usage]
    counts: Callable[[str, dict[str, str], str], Counts]  # Prometheus' URL, names by label, model
    check_run: Callable[[Run, Settings], list[Finding]]
    check_step: Callable[[Step, Settings], list[Finding]]


def real_instruments() -> Instruments:
    """Return those that measure."""
    from loadtest.checks import check_run, check_step
    from loadtest.generator import generate
    from loadtest.usage import ServerCounts, Usage

    return Instruments(generate, Usage, ServerCounts, check_run, check_step)
