"""A study checks itself: figures that contradict each other, or are somebody else's, are told apart."""

from loadtest.checks.checks import check_run, check_step
from loadtest.checks.table import check_table

__all__ = ["check_run", "check_step", "check_table"]
