"""What a requirement is, and where requirements stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Gap(StrEnum):
    """Why a requirement has no check."""

    ABSENT = "nothing to check"
    """The proxy has nothing that the requirement is about."""
    DEVIATION = "accepted deviation"
    """The proxy does otherwise on purpose."""
    UNCHECKED = "no check"
    """It could be seen on the wire, and no check looks at it."""
    UNSEEN = "not on the wire"
    """No request and no answer shows it."""


@dataclass(frozen=True)
class Page:
    """A page of a specification: its sections with a MUST, and those without."""

    title: str
    url: str
    sections: tuple[str, ...]
    silent: tuple[str, ...]


@dataclass(frozen=True)
class Requirement:
    """A MUST or MUST NOT on a server, in our own words.

    `places` are a page's key and a section ("T25 Security Warning"), `tests` are test functions
    of this repository ("tests/proxy/test_jwks.py::test_name") that try the reference proxy.
    Without checks, `gap` and `reason` say why; with checks, `reason` says what they leave out.
    """

    id: str
    places: tuple[str, ...]
    text: str
    checks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    gap: Gap | None = None
    reason: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """MUSTs of a page on somebody who is not the server."""

    who: str
    places: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Source:
    """A subject: its pages by key, what they require of a server, and of others."""

    title: str
    pages: dict[str, Page]
    requirements: tuple[Requirement, ...]
    elsewhere: tuple[Elsewhere, ...]

    def sections(self) -> Iterator[str]:
        """Yield the place of each section with a MUST."""
        for key, page in self.pages.items():
            yield from (f"{key} {section}" for section in page.sections)
