"""The connections of one process: requests go out over free ones, replies and losses come in.

epoll counts its timeouts in milliseconds, select() in microseconds, but select() takes no descriptor
above 1023: so the pool waits with select() for the epoll alone.
"""

import select
import time
from collections import deque
from collections.abc import Iterator, Sequence

from loadtest.generator.account import Account
from loadtest.generator.connection import Connection
from loadtest.generator.reply import Reply

IN, OUT = select.EPOLLIN, select.EPOLLOUT
EVENTS = 128
# A refused connection fails at once: without a pause all would be spent on trying.
PAUSE_SECONDS = 0.02

clock = time.perf_counter


class Pool:
    """Connections, of which each is free, busy, or on its way to be opened again."""

    def __init__(
        self, connections: Sequence[Connection], account: Account, timeout_seconds: float
    ) -> None:
        """Take connections that are open."""
        self.free = deque(connections)
        self.free_since = 0.0  # some connection was, without a break
        self.busy = 0
        self._all, self._account, self._timeout_seconds = connections, account, timeout_seconds
        self._closed: deque[tuple[float, Connection]] = deque()
        self._epoll = select.epoll()
        self._by_descriptor = {each.descriptor: each for each in connections}
        for each in connections:
            self._epoll.register(each.descriptor, IN)

    def watch(self, descriptor: int) -> None:
        """Let `replies` raise EOFError when something happens to a pipe's other end."""
        self._epoll.register(descriptor, IN)

    def send(self, place: int, request: bytes, began: float, now: float) -> None:
        """Send a request over the connection that has been free for longest."""
        connection = self.free.popleft()
        connection.place, connection.began, connection.since = place, began, now
        connection.busy = True
        self.busy += 1
        self._account.sent += 1
        try:
            if not connection.send(request):
                self._epoll.modify(connection.descriptor, IN | OUT)
        except OSError as error:
            self._end(connection, now, error)

    def replies(self, seconds: float) -> Iterator[tuple[Connection, Reply]]:
        """Wait so long at most, and yield each whole reply; its connection is free again."""
        if seconds > 0:
            select.select([self._epoll], (), (), seconds)
        for descriptor, event in self._epoll.poll(0, EVENTS):
            connection = self._by_descriptor.get(descriptor)
            if connection is None:
                raise EOFError("the process that wanted this has ended")
            try:
                if event & OUT or connection.opening:
                    self._go_on(connection)
                reply = connection.receive() if event != OUT else None
            except (OSError, EOFError, ValueError) as error:
                self._end(connection, clock(), error)
                continue
            if reply is not None:
                self.busy -= 1
                connection.busy = False
                # Half a request that was answered is a connection of which nobody knows the state.
                if reply.closes or connection.half_sent:
                    self._reopen(connection, clock())
                else:
                    self._release(connection)
                yield connection, reply

    def look(self, now: float) -> None:
        """Give up what takes too long, and open what was closed."""
        for each in self._all:
            if (each.busy or each.opening) and now - each.since > self._timeout_seconds:
                self._end(each, now, TimeoutError(f"nothing for {self._timeout_seconds:g} s"))
        while self._closed and self._closed[0][0] <= now:
            self._reopen(self._closed.popleft()[1], now)

    def end_all(self, reason: str) -> None:
        """Give up all that is under way, and close every connection."""
        for each in self._all:
            if each.busy:
                self._account.loss(clock(), reason)
            each.close()
        self._epoll.close()

    def _go_on(self, connection: Connection) -> None:
        """Go on with what can be written to: it is open now, or takes more of its request."""
        if connection.opening:
            connection.opened()
            self._release(connection)
        elif not connection.send_on():
            return
        self._epoll.modify(connection.descriptor, IN)

    def _release(self, connection: Connection) -> None:
        if not self.free:
            self.free_since = clock()
        self.free.append(connection)

    def _end(self, connection: Connection, now: float, why: Exception) -> None:
        """Account for the end of a connection: what was under way is lost, and never sent again."""
        if connection.busy:
            self.busy -= 1
            self._account.loss(now, f"{type(why).__name__}: {why}")
        elif connection.opening:
            self._account.note(now, f"no connection: {why}")
        else:
            self.free.remove(connection)  # nothing was under way: a server may do that
        self._by_descriptor.pop(connection.descriptor)
        connection.close()
        self._closed.append((now + PAUSE_SECONDS, connection))

    def _reopen(self, connection: Connection, now: float) -> None:
        """Begin to open a connection anew."""
        self._by_descriptor.pop(connection.descriptor, None)
        connection.close()
        try:
            connection.reopen(now)
        except OSError as error:
            self._account.note(now, f"no connection: {error}")
            self._closed.append((now + PAUSE_SECONDS, connection))
            return
        self._by_descriptor[connection.descriptor] = connection
        self._epoll.register(connection.descriptor, OUT)
