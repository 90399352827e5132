"""The first requests: ready isn't enough, every replica has to have answered one."""

import pytest

from deploy.errors import Refused
from loadtest.sweep import traffic
from loadtest.sweep.traffic import wait_for_replies
from tests.loadtest.sweep.fakes import PAYLOADS, FakeStack


def test_every_replica_is_waited_for() -> None:
    """It ends with the reply of the last replica, and says which number comes next."""
    with FakeStack(replicas=4).answering() as stack:
        assert wait_for_replies(stack, PAYLOADS, stack.replicas(), 100) == 104


def test_silent_replica_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica that gets no traffic is named when patience ends, and only that one."""
    monkeypatch.setattr(traffic, "PATIENCE_SECONDS", 0.2)
    with FakeStack(replicas=3).answering() as stack:
        stack.silent = {"r2"}
        with pytest.raises(Refused, match="no reply of r2 within"):
            wait_for_replies(stack, PAYLOADS, stack.replicas(), 0)


def test_what_was_answered_instead_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers with 200, the reason has what came."""
    monkeypatch.setattr(traffic, "PATIENCE_SECONDS", 0.2)
    with FakeStack(replicas=1).answering() as stack:
        stack.silent = {"r1"}
        with pytest.raises(Refused, match=r"no reply of r1 .*: 503 nobody"):
            wait_for_replies(stack, PAYLOADS, stack.replicas(), 0)


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A door that is closed is a reason as well, and no stack trace."""
    monkeypatch.setattr(traffic, "PATIENCE_SECONDS", 0.2)
    stack = FakeStack(replicas=1)
    with stack.answering():
        pass
    with pytest.raises(Refused, match=r"no reply of r1 .*refused"):
        wait_for_replies(stack, PAYLOADS, stack.replicas(), 0)
