"""Anybody's table of a load test: users, their waits and a rate come in; whether it can be goes out.

Users who wait for their reply, and then for a while, ask once in so long: users = rate times
(wait + latency), Little's law. `python -m loadtest.checks` calls it.
"""

from deploy.top.cells import seconds
from loadtest.study.study import Finding

CHECK = "little"
# Tables round, and waits are random.
ROUNDING = 0.02
# Users whose rate is so much lower than theirs wait for something that the table doesn't name.
UNNAMED = 0.10


def check_table(users: float, wait_seconds: float, latency_seconds: float, rate: float) -> Finding:
    """Compare a rate with what so many users can ask for, who wait so long between two requests.

    Wait and latency are means; a latency of 0 is one that isn't given, and gives the most there can be.
    Raises ValueError where no rate follows from them: neither wait nor latency, or a negative one.
    """
    if min(users, wait_seconds, latency_seconds, rate) < 0 or not wait_seconds + latency_seconds:
        raise ValueError(
            "users, wait, latency and rate are numbers from 0 on, wait or latency above it"
        )
    most = users / (wait_seconds + latency_seconds)
    who = f"{users:g} users who wait {seconds(wait_seconds)}"
    who += f" and are answered after {seconds(latency_seconds)}" if latency_seconds else ""
    text = f"{rate:,.4g} requests a second from {who}"
    if rate > most * (1 + ROUNDING):
        return Finding(CHECK, "refused", f"{text}: impossible, {most:,.3g} is the most")
    if latency_seconds and rate < most * (1 - UNNAMED):
        why = "their wait or latency is longer than the table says"
        return Finding(CHECK, "marked", f"{text}, who would ask for {most:,.3g}: {why}")
    return Finding(CHECK, "ok", f"{text}: possible, {most:,.3g} is the most")
