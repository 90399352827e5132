"""A study as a page, pictures and tables, and two studies side by side; `flotilla report` calls it."""
