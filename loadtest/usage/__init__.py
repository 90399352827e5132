"""What is read of the machine and of the server itself before and after a run."""

from loadtest.usage.server_counts import ServerCounts
from loadtest.usage.usage import Usage

__all__ = ["ServerCounts", "Usage"]
