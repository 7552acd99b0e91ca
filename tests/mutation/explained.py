"""The mutants that no test can tell from the proxy, each with the reason: `explained.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mutation.source_mutants import Key

TABLE = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True)
class Explained:
    """One mutant, and why it makes no difference that anybody relies on."""

    key: Key
    why: str


def explained() -> list[Explained]:
    """Return the rows of the table; one row may hold several changes of one line."""
    rows = tomllib.loads(TABLE.read_text())["explained"]
    return [
        Explained(Key(row["module"], row["place"], row["before"], after), row["why"])
        for row in rows
        for after in row["after"]
    ]
