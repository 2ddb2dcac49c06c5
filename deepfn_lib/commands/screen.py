"""What a run says while it goes on: the chapter, the time left over chapters, and the kernel's own progress bars."""

import re
import time
from statistics import median

from rich.console import Console
from rich.live import Live
from rich.text import Text

CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
BAR = re.compile(r"it/s|%\||s/")
PAUSE = 30  # seconds between two of the kernel's bars in a log


class Screen:
    """Text progress on standard error over a list of chapters.

    On a terminal the last line is rewritten every second; in a log, a line is added every half minute at most.
    `expected` gives the seconds of chapters that have been run before, by name, and `typical` those of another
    machine, which say how long this one will take once it is known how much slower it is. Chapters in neither are
    taken to need the median of those known.
    """

    def __init__(self, names: list[str], expected: dict[str, float], typical: dict[str, float], stream=None):
        self.names, self.expected, self.typical = list(names), dict(expected), dict(typical)
        self.console = Console(file=stream, stderr=stream is None, force_jupyter=False)
        self.watched = self.console.is_interactive
        self.spent: dict[str, float] = {}
        self.current, self.began, self.said, self.detail = "", 0.0, 0.0, ""
        self.live = Live(
            get_renderable=self._last_line,
            console=self.console,
            refresh_per_second=1,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self):
        self.live.start()
        return self

    def __exit__(self, *exception):
        self.live.stop()

    def begin(self, name: str) -> None:
        self.began = self.said = time.monotonic()
        self.current, self.detail = name, ""
        if self.watched:
            self.live.refresh()
        else:
            self._line(f"{self._position(name)} {name}{self._left()}")

    def end(self, name: str, message: str, counts: bool = True) -> None:
        """The chapter is over; `counts` says whether its time tells anything about the others'."""
        self.current = ""
        seconds = time.monotonic() - self.began if counts else self.spent.get(name, 0.0)
        self.spent = {**self.spent, name: seconds}  # anew: the last line may be reading the one before
        self._line(f"{self._position(name)} {name}: {message}")

    # The kernel's standard error is given to papermill as a file; these two make this object one.
    def write(self, text: str) -> None:
        pieces = [CONTROL.sub("", piece).strip() for piece in re.split(r"[\r\n]", text)]
        bars = [piece for piece in pieces if BAR.search(piece)]
        if not bars or bars[-1] == self.detail:
            return
        self.detail = bars[-1]
        if not self.watched and time.monotonic() - self.said >= PAUSE:
            self.said = time.monotonic()
            self._line(f"        {self.detail}")

    def flush(self) -> None:
        pass

    def _last_line(self) -> Text:
        """What stands below the finished chapters on a terminal; asked for every second, by a thread of rich's."""
        name = self.current
        if not name:
            return Text("")
        width = 12 * len(self.spent) // len(self.names)
        bar = "#" * width + "." * (12 - width)
        spent = clock(time.monotonic() - self.began)
        line = f"{self._position(name)} [{bar}] {name} {spent}{self._left()} {self.detail}"
        return Text(line, no_wrap=True, overflow="crop")

    def _left(self) -> str:
        """How long the chapters from the present one on will take, as the end of a line; empty where nothing tells."""
        name, spent = self.current, self.spent
        paces = [spent[name] / self.typical[name] for name in self.typical if spent.get(name, 0) > 1]
        pace = median(paces) if paces else 1.0
        each = {name: pace * seconds for name, seconds in self.typical.items()} | self.expected | spent
        known = [seconds for seconds in each.values() if seconds > 1]
        if not known:
            return ""
        waiting = {name: each.get(name, median(known)) for name in self.names if name not in spent}
        gone = min(time.monotonic() - self.began, waiting.get(name, 0.0))
        return f", about {clock(sum(waiting.values()) - gone)} left"

    def _position(self, name: str) -> str:
        return f"[{self.names.index(name) + 1:2d}/{len(self.names)}]"

    def _line(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


def clock(seconds: float) -> str:
    """Seconds as "42 s", "3 min 05 s" or "1 h 10 min"."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
