"""What a load is to be, and what came of it: the generator's two ends.

`loadtest.sweep` and `loadtest.bench` make plans; `python -m loadtest.generator` does for people.
"""

import math
from typing import Literal

from msgspec import Struct, field

from deploy.errors import Refused
from loadtest.payloads import MARKS
from loadtest.study.study import GeneratorUse, Loop, Second

# Poisson: at random moments, as from many clients who know nothing of each other. Even: like a clock.
Pattern = Literal["poisson", "even"]
# Of one process: select() takes no descriptor above 1023, and some are files.
MOST_CONNECTIONS_EACH = 1000


class Plan(Struct, frozen=True, kw_only=True):
    """One load. `rate` and `connections` are those of all processes together."""

    address: str  # that is connected to, as "127.0.0.1:8080"
    host: str  # for the header Host
    payloads: str  # path of a file that `loadtest.payloads.write` has written
    loop: Loop
    rate: float | None = None  # arrivals a second, of an open loop
    connections: int
    seconds: float  # for which requests are sent; the last replies are waited for
    processes: int = 1
    arrivals: Pattern = "poisson"
    first_number: int = 0  # makes requests unique; next time: this plus `Outcome.numbers_used`
    timeout_seconds: float = 10.0  # after which a request is lost
    headers: dict[str, str] = {}

    @property
    def due(self) -> int | None:
        """Return how many requests are due by the schedule; None for a closed loop."""
        return None if self.rate is None else round(self.rate * self.seconds)

    def check(self) -> None:
        """Raise `Refused` where this can't be done, naming what would have to be otherwise."""
        _, colon, port = self.address.rpartition(":")
        wrong = {
            f"address {self.address!r}: expected HOST:PORT": not (colon and port.isdigit()),
            "an open loop needs a rate, more than 0 a second": self.loop == "open"
            and not (self.rate and 0 < self.rate < math.inf),
            "a closed loop has no rate: it sends when it is answered": self.loop == "closed"
            and self.rate is not None,
            "seconds and timeout have to be more than 0": not all(
                0 < each < math.inf for each in (self.seconds, self.timeout_seconds)
            ),
            f"{self.connections} connections for {self.processes} processes: each needs one": not (
                1 <= self.processes <= self.connections
            ),
            f"{self.connections} connections: one process has {MOST_CONNECTIONS_EACH} at most, more "
            "need more processes": self.connections > self.processes * MOST_CONNECTIONS_EACH,
            f"first number {self.first_number}: expected 0 to {MARKS - 1}": not (
                0 <= self.first_number < MARKS
            ),
        }
        for sentence, holds in wrong.items():
            if holds:
                raise Refused(sentence)


class Outcome(Struct, kw_only=True):
    """What came of a plan; names and meanings as in `loadtest.study.study.Run`.

    `sent == ok + failed + lost`, and in an open loop `sent + unsent` is the number that was due.
    """

    started: float
    seconds: float  # for which requests were sent
    sent: int
    ok: int
    failed: int
    lost: int
    unsent: int
    failures: list[str]  # the first 20, each with its second
    latency: str  # of whole replies: from when one was due (open loop), or was sent (closed)
    # By the second in which a reply came; those that came after the end are in seconds beyond it.
    by_second: list[Second]
    # Of whole replies; "" where a reply didn't say.
    by_status: dict[str, int] = field(default_factory=dict)
    by_replica: dict[str, int] = field(default_factory=dict)
    by_version: dict[str, int] = field(default_factory=dict)
    by_cache: dict[str, int] = field(default_factory=dict)
    # Due and not yet answered: in an open loop also what waits for a free connection.
    in_flight: float = 0.0
    generator: GeneratorUse
    numbers_used: int  # from `Plan.first_number` on

    @property
    def good(self) -> bool:
        """Say whether there were replies, all of them right, and none is missing."""
        return 0 < self.sent == self.ok and not self.unsent
