"""A generator of load that keeps to its schedule, checks each reply, and measures itself."""

from loadtest.generator.generate import generate
from loadtest.generator.plan import Outcome, Plan

__all__ = ["Outcome", "Plan", "generate"]
