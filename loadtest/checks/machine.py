"""The machine under the run: what the hypervisor took, and whether all cores were used up."""

from deploy.top.cells import percent
from loadtest.study.study import Finding, Run

STEAL, CORES = "steal", "cores"
# Of all cores' time. Two runs of which one lost 2 % differ by that; a tenth is another machine.
STEAL_MARKED, STEAL_REFUSED = 0.02, 0.10
# From here on processes wait for each other: more replicas find no core.
BUSY_MARKED = 0.95


def check_steal(run: Run) -> Finding:
    """Mark or refuse a run of which the hypervisor gave time to others."""
    host = run.server.host
    if host is None:
        return Finding(STEAL, "ok", "what the hypervisor took is unknown: this isn't Linux")
    text = f"the hypervisor took {percent(host.steal_share)} of {host.cores} cores for others"
    share = host.steal_share
    return Finding(
        STEAL, "refused" if share > STEAL_REFUSED else "marked" if share > STEAL_MARKED else "ok", text
    )


def check_cores(run: Run) -> Finding:
    """Mark a run in which the host has no time left: it is the limit then, not the replicas."""
    host = run.server.host
    if host is None:
        return Finding(CORES, "ok", "how busy the host was is unknown: this isn't Linux")
    text = f"the host's {host.cores} cores were {percent(host.busy_share)} busy"
    if host.busy_share < BUSY_MARKED:
        return Finding(CORES, "ok", text)
    return Finding(CORES, "marked", f"{text}, generator included: the host is the limit")
