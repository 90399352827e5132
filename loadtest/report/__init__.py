"""A study as a page, pictures and tables, and two studies side by side; `flotilla report` calls it."""

from loadtest.report.report import write_report
from loadtest.report.summary import summary

__all__ = ["summary", "write_report"]
