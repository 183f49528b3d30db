"""One line of progress with an estimate of the time left: a live bar on a terminal, plain lines elsewhere."""

import sys
import time

BAR = 28
PLAIN_EVERY = 5.0


class Progress:
    """Counts finished units of work; prints at most as often as a reader can take in."""

    def __init__(self, total: int, out: object = None) -> None:
        self._total = max(total, 1)
        self._already = 0
        self._done = 0
        self._began = time.monotonic()
        self._printed = -PLAIN_EVERY
        self._live = sys.stdout.isatty()

    def start_from(self, done: int) -> None:
        """Units that an earlier run had finished: shown, but not used for the estimate."""
        self._already = self._done = done

    def show(self, done: int, what: str) -> None:
        """Report `done` of all units, with what is going on now."""
        self._done = max(done, self._done)
        now = time.monotonic()
        if now - self._printed < (0.2 if self._live else PLAIN_EVERY) and self._done < self._total:
            return
        self._printed = now
        line = f"{self._bar()} {100 * self._done // self._total:3d} %  {self._eta(now)}  {what}"
        if self._live:
            sys.stdout.write(f"\r\x1b[K{line}")
        else:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            sys.stdout.write("\n")
            sys.stdout.flush()

    def _bar(self) -> str:
        filled = BAR * self._done // self._total
        return "[" + "#" * filled + "." * (BAR - filled) + "]"

    def _eta(self, now: float) -> str:
        fresh = self._done - self._already
        elapsed = now - self._began
        if fresh <= 0:
            return f"{elapsed:4.0f} s, time left unknown"
        left = elapsed / fresh * (self._total - self._done)
        return f"{elapsed:4.0f} s, about {left:.0f} s left"
