"""Committed results, rendered into the READMEs between markers: one file a table.

python -m benchmarks.tables
"""

from benchmarks.tables.page import PAGES, TABLES, render, rendered

__all__ = ["PAGES", "TABLES", "render", "rendered"]
