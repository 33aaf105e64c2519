"""Render every table anew: ``python -m benchmarks.tables``."""

from benchmarks import tables

tables.render()
