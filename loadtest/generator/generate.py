"""Carry out a plan: its processes are started, begin together, and their counts are added up."""

import time
from pathlib import Path

from msgspec.structs import replace

from loadtest.generator.children import START_SECONDS, children
from loadtest.generator.merge import merge
from loadtest.generator.plan import Outcome, Plan

# Until all have read when they are to begin.
AHEAD_SECONDS = 0.05


def generate(plan: Plan) -> Outcome:
    """Load as planned and return what came of it, whatever the server does.

    Takes the plan's seconds, half a second to start, and up to its timeout for the last replies.
    Raises `Refused` where nothing listens, or the plan can't be carried out. Ctrl-C (or whatever else
    is raised) ends the processes.
    """
    plan.check()
    with children(replace(plan, payloads=str(Path(plan.payloads).resolve()))) as processes:
        at = time.perf_counter() + AHEAD_SECONDS
        started = time.time() + AHEAD_SECONDS
        for each in processes:
            each.begin(at)
        deadline = at + plan.seconds + plan.timeout_seconds + START_SECONDS
        return merge(plan, started, [each.counted(deadline) for each in processes])
