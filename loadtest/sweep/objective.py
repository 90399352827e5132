"""Whether a run kept the objective: the share of all requests that were due and answered in time."""

from loadtest.histogram import Histogram
from loadtest.study.study import Run, Settings


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
