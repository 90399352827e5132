"""The machine's ticks: shares on paper, and those of this machine."""

import os
from pathlib import Path

from loadtest.study.study import Host
from loadtest.usage.host import Ticks, host_between, read_ticks
from tests.polling import wait_until

STAT = """\
cpu  1000 200 300 4000 100 10 20 70 500 50
cpu0 500 100 150 2000 50 5 10 35 250 25
cpu1 500 100 150 2000 50 5 10 35 250 25
intr 12345
ctxt 678
"""


def test_shares(tmp_path: Path) -> None:
    """Waiting for a disk is idle; what the hypervisor took is busy; guests are in user's time."""
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    before = read_ticks(stat)
    assert before == Ticks(cores=2, total=5700, idle=4100, steal=70)
    later = STAT.replace("1000 200 300 4000 100 10 20 70", "1060 200 300 4020 110 10 20 80")
    stat.write_text(later)
    host = host_between(before, read_ticks(stat))
    assert host is not None
    assert (host.cores, host.busy_share, host.steal_share) == (2, 0.7, 0.1)


def test_another_system(tmp_path: Path) -> None:
    """Without the file nothing is known, nor between two looks at the same moment."""
    assert read_ticks(tmp_path / "stat") is None
    assert host_between(None, read_ticks()) is None
    ticks = read_ticks()
    assert host_between(ticks, ticks) is None


def test_this_machine() -> None:
    """A process that waits by looking again and again is some of what it is busy with."""
    before = read_ticks()
    assert before is not None

    def shares() -> Host:
        return host_between(before, read_ticks()) or Host(cores=0, busy_share=0.0, steal_share=0.0)

    wait_until(lambda: shares().busy_share > 0)
    host = shares()
    assert host.cores == os.cpu_count()
    assert host.busy_share <= 1
    assert 0 <= host.steal_share <= 1
