"""The load mark: a real child that dies while it loads leaves behind which version it was."""

import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

from service.versions.load_mark import REST_SECONDS, SIZE_BYTES, LoadMark
from service.versions.report import read_reports
from tests.polling import wait_until
from tests.service.followed import Clock, publish_deadly, stage
from tests.service.replica_process import NAME, ReplicaProcess

KEY = ("model", "7")


def in_child(work: Callable[[], None]) -> int:
    """Do something in a forked child, and return how that ended: a signal is negative."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the child doesn't use
        child = os.fork()
    if child == 0:
        try:
            work()
        finally:  # whatever happens, a child must not go on with the tests
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_that_dies_while_loading() -> None:
    """The next worker learns once which version it was, and doesn't try it, nor leave out others."""
    mark = LoadMark()

    def die() -> None:
        mark.begin(("model", "6"))
        mark.end()
        mark.begin(KEY)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die) == -signal.SIGKILL
    assert mark.inherit() == KEY
    assert mark.inherit() is None
    assert mark.deadly(KEY)
    assert not mark.deadly(("model", "6"))
    assert not mark.deadly(("mode", "7"))


def test_a_child_that_dies_otherwise() -> None:
    """A worker that dies when nothing is being loaded accuses no version."""
    mark = LoadMark()

    def die() -> None:
        mark.begin(KEY)
        mark.end()
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die) == -signal.SIGKILL
    assert mark.inherit() is None
    assert not mark.deadly(KEY)


def test_it_is_tried_again_after_a_rest(clock: Clock) -> None:
    """After some time the version has another chance; the more often it dies, the longer it rests."""
    mark = LoadMark()
    for rest in (REST_SECONDS, 2 * REST_SECONDS, 4 * REST_SECONDS):
        in_child(lambda: mark.begin(KEY))
        assert mark.inherit() == KEY
        clock.forward(rest - 1)
        assert mark.deadly(KEY)
        clock.forward(1)
        assert not mark.deadly(KEY)


def test_half_written() -> None:
    """A child that dies while it writes leaves nothing that a worker would stumble over."""
    mark = LoadMark()
    mark.begin(KEY)
    mark._shared[:8] = b'{"loadXX'
    assert mark.inherit() is None
    mark.begin(KEY)
    assert mark.inherit() == KEY


def test_more_than_it_has_room_for() -> None:
    """However many versions die, the last one is remembered: old ones make room."""
    mark = LoadMark()
    keys = [("m" * 64, str(number)) for number in range(SIZE_BYTES // 64)]
    for key in keys:
        mark.begin(key)
        assert mark.inherit() == key
    assert mark.deadly(keys[-1])
    assert not mark.deadly(keys[0])


def test_a_version_that_ends_the_process(own_lines: Path, tmp_path: Path) -> None:
    """A staged version that crashes its process costs a replica one worker, and is refused then.

    What serves goes on serving, and the command that wished for it is told why it can't be had.
    """
    version = publish_deadly(own_lines, "a")
    reports = tmp_path / "reports"

    def deaths() -> int:
        return replica.log.count("SIGSEGV")

    def refused(command: str) -> bool:
        report = read_reports(reports)[NAME]
        found = report.state_of(("a", version))
        return report.commands == {"a": command} and found.state == "UNAVAILABLE"

    with ReplicaProcess(own_lines, REDIS_URL="", REPORTS_DIR=str(reports)) as replica:
        replica.wait_until_ready()
        assert deaths() == 0
        for command in ("first", "second"):
            stage(own_lines, "a", version, command=command)
            wait_until(lambda command=command: refused(command))
            state = read_reports(reports)[NAME].state_of(("a", version))
            assert state.reason.startswith("the process that loaded it died (see the replica's log)")
            assert deaths() == 1, "the second wish doesn't end another worker"
        replica.wait_until_ready()
        assert replica.predict("a", [1, 1]).headers["X-Model-Version"] == "1"
        told = replica.predict("a", [1, 1], X_Model_Version=version)
        assert told.status == 503
        assert "the process that loaded it died" in told.error
    assert read_reports(reports) == {}
