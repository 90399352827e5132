"""One of the generator's processes: `python -m loadtest.generator.process`, started by `children.py`.

Over its standard input come a `Share`, then the moment at which all begin; over its output go a line
once it is ready, then what it has counted. It ends when its input does: with its parent.
"""

import ctypes
import gc
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from deploy.errors import Refused
from loadtest.generator.account import Account, Counted
from loadtest.generator.check import Check
from loadtest.generator.connection import Connection
from loadtest.generator.load import Load
from loadtest.generator.plan import Plan
from loadtest.generator.pool import Pool
from loadtest.generator.requests import numbers_used, requests
from loadtest.generator.schedule import schedule_of
from loadtest.payloads import read

READY = b"ready\n"
PR_SET_TIMERSLACK = 29
CONNECT_SECONDS = 10.0


class Share(Struct, frozen=True):
    """Which of a plan's processes this is, from 0."""

    plan: Plan
    index: int

    @property
    def connections(self) -> int:
        """Return how many of the plan's connections are this process's."""
        return len(range(self.index, self.plan.connections, self.plan.processes))


def main() -> None:
    """Do one process's share."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    share = msgspec.json.decode(source.readline(), type=Share)
    try:
        account = Account()
        load, templates = prepare(share, account)
        sink.write(READY)
        sink.flush()
        if not (start := source.readline()):
            return
        plan, started = share.plan, float(start)
        schedule = schedule_of(plan, share.index, started)
        load.run(schedule, started, plan.seconds, plan.timeout_seconds)
    except (Refused, ValueError, EOFError) as error:
        sys.exit(str(error))
    counted: Counted = account.counted(numbers_used(account.sent, templates))
    sink.write(msgspec.msgpack.encode(counted))


def prepare(share: Share, account: Account) -> tuple[Load, int]:
    """Return the load, with its connections open, and how many templates it has."""
    plan = share.plan
    payloads = read(Path(plan.payloads))
    pool = Pool(_open(share), account, plan.timeout_seconds)
    pool.watch(sys.stdin.fileno())
    load = Load(pool, account, requests(payloads, plan, share.index), Check(payloads))
    # By default Linux wakes up whom it likes 50 µs later: a sixth of the time between 3,000 a second.
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    # Nothing here refers to itself, and a collection holds up what is due.
    gc.collect()
    gc.disable()
    return load, len(payloads.templates)


def _open(share: Share) -> list[Connection]:
    """Open all connections; raise `Refused` where that fails."""
    host, _, port = share.plan.address.rpartition(":")
    connections: list[Connection] = []
    try:
        for _ in range(share.connections):
            connections.append(Connection((host.strip("[]"), int(port))))
            connections[-1].open(CONNECT_SECONDS)
    except ConnectionRefusedError as error:
        raise Refused(f"nothing listens on {share.plan.address}") from error
    except OSError as error:
        which = f"connection {len(connections)} of {share.connections}"
        raise Refused(f"{share.plan.address}, {which}: {error}") from error
    return connections


if __name__ == "__main__":
    main()
