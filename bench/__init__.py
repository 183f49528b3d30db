"""Measurements of the platform's speed, each against a peer in the same run: `python -m bench --help`."""
