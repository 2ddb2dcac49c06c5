"""Sentences with results in them: the words stand in the chapter as one reads them, the numbers are glued in."""

from dataclasses import dataclass
from string import Formatter


@dataclass(frozen=True)
class Words:
    """Markdown that a chapter displays; as plain text, the same."""

    text: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.text, "text/plain": self.text}


def say(words: str, **values) -> Words:
    """`words`, Markdown, with each `{name}` or `{name:.1f}` replaced by its value; lines are joined as Markdown does.

    Raises KeyError for a name without a value and ValueError for a value without its name: a number that was worked
    out and is not told is as wrong as one that is missing.
    """
    told = {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(words) if name}
    if unused := set(values) - told:
        raise ValueError(f"not told in the sentence: {', '.join(sorted(unused))}")
    return Words(words.strip().format(**values))
