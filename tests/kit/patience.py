"""How long a test waits for what another thread or process does before it calls that hanging."""

from typing import Final

PATIENCE: Final = 120.0
"""Seconds; a quiet machine needs a few at most. Nobody waits as long unless something hangs: no test says anything of
how fast a thing is, which is measured in bench/."""
PATIENCE_MS: Final = 1000 * PATIENCE
"""The same in milliseconds, as a browser counts."""
