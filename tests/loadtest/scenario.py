"""A scenario of two requests, for tests that aren't about the real one, which starts slowly."""

from locust import FastHttpUser, constant_throughput, events, task

from loadtest.exporter import add_metrics

add_metrics(events)


class Client(FastHttpUser):
    """Sends one request or the other, twenty a second."""

    wait_time = constant_throughput(20)

    @task
    def first(self) -> None:
        """Send the one."""
        self.client.post("/first", json={})

    @task
    def second(self) -> None:
        """Send the other."""
        self.client.post("/second", json={})
