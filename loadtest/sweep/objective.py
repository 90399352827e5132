"""Whether a run kept the objective: the share of all requests that were due and answered in time."""

import msgspec

from loadtest.histogram import Histogram
from loadtest.study.study import Run, Settings

# So many times the objective may still be a hiccup of the machine's; a queue that grows is later.
NEARLY = 4


def nearly_kept(run: Run, settings: Settings) -> bool:
    """Tell whether a run missed the objective by so little that a second one may keep it."""
    if kept(run, settings):
        return False
    wider = msgspec.structs.replace(settings, objective_seconds=NEARLY * settings.objective_seconds)
    return kept(run, wider)


def kept(run: Run, settings: Settings) -> bool:
    """Tell whether enough of all requests that were due got a right reply within the objective.

    Lost and unsent ones are in no histogram, and wrong replies are in it with the others: both count
    as too late, or a server that drops what is slow would keep any objective.
    """
    due = run.sent + run.unsent
    replies = run.ok + run.failed
    if not replies:
        return False
    needed = settings.objective_share * due + run.failed
    if needed > replies:
        return False
    latency = Histogram.decode(run.latency).quantile_seconds(needed / replies)
    return latency <= settings.objective_seconds
