"""Reading the HTML report as a browser would, and a report full of hostile text."""

from html.parser import HTMLParser

from support.harness_fakes import a_check, a_report, failed
from toolbridge_harness.model import (
    Cause,
    Exchange,
    NotVerified,
    Outcome,
    Profile,
    Result,
    Severity,
)

VOID = frozenset({"br", "input", "meta", "rect"})
Attributes = dict[str, str]

CHECKS = {
    check.id: check
    for check in (
        a_check("demo-a", severity=Severity.CRITICAL),
        a_check("demo-b", severity=Severity.CRITICAL, source="RFC 8725 §3.1", why="It matters."),
        a_check("demo-c"),
        a_check("other-d", severity=Severity.LOW),
        a_check("other-e"),
        a_check("other-f"),
        a_check("other-g"),
        a_check("other-h", profile=Profile.FULL),
    )
}
RED = a_report(
    Result("demo-a", Outcome.PASS, 0.25),
    failed("demo-b", seconds=2.0, exchanges=(Exchange("POST /mcp", "HTTP 200", 0.1),)),
    failed("demo-c", cause="demo-b"),
    Result("other-d", Outcome.WARNING, expected="this", actual="that"),
    Result("other-e", Outcome.NOT_APPLICABLE, detail="needs logs"),
    failed("other-f", accepted="known since spring"),
    Result("other-g", Outcome.UNTESTABLE, detail="the control failed"),
    causes=(
        Cause("demo-b", "demo-b is broken", "Fix demo-b.", ("demo-c",)),
        Cause("other-g", "other-g could not be tested", "Fix other-g.", ()),
    ),
    not_verified=(NotVerified(("other-e",), "needs logs", "use --launch"),),
    problems=("2 strays",),
    notes=("the clock is slow",),
    extra={"revision": "2025-11-25"},
)
GREEN = a_report(*(Result(f"demo-{x}", Outcome.PASS, 0.1) for x in "abc"))

HOSTILE = (
    "</pre></script></style><script>alert(1)</script>"
    "<img src=https://evil.test/x onerror=alert(1)>"
    '" onmouseover="alert(1)" x=\' <!-- & &amp; ]]> \x00\x1b[31m\u202etxt\ud800'
)


class Page(HTMLParser):
    """A parsed page: elements in order, text by element, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes]] = []
        self.text: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Refuse an end that does not match."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text with the element that holds it."""
        self.text.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str, **attributes: str) -> list[Attributes]:
        """Return the attributes of the elements with this tag and these attributes."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            have for name, have in self.elements if name == tag and wanted.items() <= have.items()
        ]

    def words(self, *tags: str) -> str:
        """Return the text of these elements; without tags, what a reader sees."""
        return "\n".join(
            data
            for tag, data in self.text
            if (tag in tags if tags else tag not in ("style", "script"))
        )
