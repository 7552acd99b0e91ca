"""HTML by construction: whatever is not made here is escaped."""

import html
import re
from bisect import bisect_right

# Characters that show nothing, are no HTML (NUL, half of a surrogate pair) or turn the text
# around them (U+202E). A reader must see that they were sent.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    r"\ufeff\ud800-\udfff\ufffe\uffff]"
)
_VOID = frozenset({"br", "input", "meta", "rect"})


class Html(str):
    """Markup that is safe as it stands."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str | bool) -> Html:
    """Return an element; text is escaped, `class_` is `class`, `data_x` is `data-x`.

    An attribute that is False is left out; True has no value.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{shown(value)}"')
        for key, value in attributes.items()
        if value is not False
    )
    return Html(f"<{name}{written}>{join(*children)}" + ("" if name in _VOID else f"</{name}>"))


def join(*children: str) -> Html:
    """Return the children side by side; text is escaped."""
    return Html("".join(c if isinstance(c, Html) else shown(c, quote=False) for c in children))


def shown(text: str | bool, *, quote: bool = True) -> str:
    r"""Return `text` escaped, with what cannot be seen spelled as \uXXXX."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", html.escape(str(text), quote))


def clipped(text: str, limit: int) -> str:
    """Return `text`, cut where it would take more than `limit` bytes of a page."""
    # A character takes a byte at least: what is beyond need not be looked at.
    ends = range(1, min(len(text), limit) + 1)
    kept = bisect_right(ends, limit, key=lambda end: _size(text[:end]))
    return text if kept == len(text) else f"{text[:kept]}… ({len(text) - kept} characters more)"


def _size(text: str) -> int:
    return len(shown(text).encode())


def section(name: str, title: str, *content: str) -> Html:
    """Return a section of the page under its heading; nothing where it holds nothing."""
    return tag("section", tag("h2", title), *content, id=name) if any(content) else Html()
