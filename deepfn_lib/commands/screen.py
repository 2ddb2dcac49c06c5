"""What a run says while it goes on: the chapter, the time left over chapters, and the kernel's own progress bars."""

import re
import shutil
import sys
import threading
import time
from statistics import median

CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Screen:
    """Text progress on standard error over a list of chapters.

    On a terminal the last line is rewritten every second; in a log, a line is added every half minute at most.
    `expected` gives the seconds of chapters that have been run before, by name, and `typical` those of another
    machine, which say how long this one will take once it is known how much slower it is. Chapters in neither are
    taken to need the median of those known.
    """

    def __init__(self, names: list[str], expected: dict[str, float], typical: dict[str, float], stream=None):
        self.names, self.expected, self.typical = list(names), dict(expected), dict(typical)
        self.stream = stream or sys.stderr
        self.watched = self.stream.isatty()
        self.spent: dict[str, float] = {}
        self.current, self.began, self.said, self.detail, self.shown = "", 0.0, 0.0, "", ""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        self._ticker.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._ticker.join(timeout=2)
        self._erase()

    def begin(self, name: str) -> None:
        with self._lock:
            self.current, self.detail, self.shown = name, "", ""
            self.began = self.said = time.monotonic()
        if not self.watched:
            self._line(f"{self._position(name)} {name}{self._left()}")

    def end(self, name: str, message: str, counts: bool = True) -> None:
        """The chapter is over; `counts` says whether its time tells anything about the others'."""
        with self._lock:
            seconds = time.monotonic() - self.began
            self.current = ""
            if counts:
                self.spent[name] = seconds
            else:
                self.spent.setdefault(name, 0.0)
        self._line(f"{self._position(name)} {name}: {message}")

    # The kernel's standard error is given to papermill as a file; these two make this object one.
    def write(self, text: str) -> None:
        pieces = [CONTROL.sub("", piece).strip() for piece in re.split(r"[\r\n]", text)]
        pieces = [piece for piece in pieces if piece]
        bars = [piece for piece in pieces if "it/s" in piece or "%|" in piece or "s/" in piece]
        if bars:
            self.detail = bars[-1]

    def flush(self) -> None:
        pass

    def _tick(self) -> None:
        while not self._stop.wait(1.0):
            with self._lock:
                if not self.current:
                    continue
                now = time.monotonic()
                if self.watched:
                    self._rewrite(now)
                elif self.detail and self.detail != self.shown and now - self.said >= 30:
                    self.said, self.shown = now, self.detail
                    self._line(f"        {self.detail}")

    def _rewrite(self, now: float) -> None:
        done = len(self.spent)
        width = 12 * done // max(1, len(self.names))
        bar = "#" * width + "." * (12 - width)
        text = f"{self._position(self.current)} [{bar}] {self.current} {clock(now - self.began)}{self._left()}"
        text = f"{text} {self.detail}"
        columns = shutil.get_terminal_size().columns - 1
        self.stream.write("\r\x1b[K" + text[:columns])
        self.stream.flush()

    def _left(self) -> str:
        paces = [self.spent[name] / self.typical[name] for name in self.typical if self.spent.get(name, 0) > 1]
        pace = median(paces) if paces else 1.0
        each = {name: pace * seconds for name, seconds in self.typical.items()} | self.expected | self.spent
        known = [seconds for seconds in each.values() if seconds > 1]
        if not known:
            return ""
        waiting = {name: each.get(name, median(known)) for name in self.names if name not in self.spent}
        seconds = sum(waiting.values())
        if self.current:
            seconds -= min(time.monotonic() - self.began, waiting[self.current])
        return f", about {clock(seconds)} left"

    def _position(self, name: str) -> str:
        return f"[{self.names.index(name) + 1:2d}/{len(self.names)}]"

    def _line(self, text: str) -> None:
        self._erase()
        self.stream.write(text + "\n")
        self.stream.flush()

    def _erase(self) -> None:
        if self.watched:
            self.stream.write("\r\x1b[K")


def clock(seconds: float) -> str:
    """Seconds as "42 s", "3 min 05 s" or "1 h 10 min"."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
