"""Reads for the pages: lift, NE, coverage, freshness, cost, computed from committed sums alone."""
