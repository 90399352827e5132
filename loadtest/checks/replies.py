"""Replies = requests: each request that was sent came to an end that is known, and a right one."""

from deploy.top.cells import percent
from loadtest.study.study import Finding, Run, Settings

CHECK = "replies"
# What was due and never sent is as slow as it gets. A run that measures a quantile may lack a tenth of
# the requests beyond it: the quantile is then at most a tenth of that tail too far down.
UNSENT_OF_TAIL = 0.1


def check_replies(run: Run, settings: Settings) -> Finding:
    """Refuse a run in which a reply was lost or wrong, or that doesn't add up."""
    ended = run.ok + run.failed + run.lost
    if ended != run.sent:
        text = f"the generator sent {run.sent:,} requests and knows how {ended:,} ended"
        return Finding(CHECK, "refused", text)
    if not run.ok:
        return Finding(CHECK, "refused", f"not one right reply to {run.sent:,} requests")
    if run.failed or run.lost:
        share = percent((run.failed + run.lost) / run.sent)
        text = (
            f"of {run.sent:,} requests {run.lost:,} got no whole reply and {run.failed:,} a wrong one"
        )
        first = f"; the first: {run.failures[0]}" if run.failures else ""
        return Finding(CHECK, "refused", f"{text} ({share}){first}")
    if run.unsent:
        due = run.sent + run.unsent
        text = (
            f"{run.unsent:,} of {due:,} requests ({percent(run.unsent / due)}) were due and never "
            "sent, because no connection got free: latencies leave out the slowest"
        )
        # A search may find that a rate is too much: then this is what it found.
        counts = run.purpose == "objective"
        too_many = run.unsent / due > UNSENT_OF_TAIL * (1 - settings.objective_share)
        return Finding(CHECK, "refused" if counts and too_many else "marked", text)
    return Finding(CHECK, "ok", f"{run.sent:,} requests, as many right replies")
