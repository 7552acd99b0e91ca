"""`verify`: run the provider cases against the served mock, the respx mock, or a real API."""

import contextlib
import difflib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click
import httpx

from toolbridge_contract.provider.case import Case
from toolbridge_contract.provider.forge import Secrets
from toolbridge_contract.provider.preflight import Stopped, preflight
from toolbridge_contract.provider.providers import NoAnswer, Provider, Served, mounted
from toolbridge_contract.provider.report import Report, render, to_json
from toolbridge_contract.provider.runner import Gone, Result, run
from toolbridge_contract.provider.serving import served_mock
from toolbridge_contract.provider.world import MARK, World

NO_VERDICT, INTERRUPTED = 1, 130

Lookup = Callable[[str], str | None]
_JWT_NAMES = ("JWT_HS256_SECRET", "TOOLBRIDGE_JWT_SECRET")
_TENANT_NAMES = ("TENANT_HEADER_SECRET", "TOOLBRIDGE_TENANT_HEADER_SECRET")
_TENANT_ID = ("TOOLBRIDGE_TENANT_ID",)


class Usage(click.ClickException):
    """Wrong usage or configuration; one line."""

    exit_code = 4

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line as the suite's other commands do."""
        click.echo(f"toolbridge: {self.message}", file=file, err=file is None)


def verify_command(lookup: Lookup = os.environ.get) -> click.Command:
    """Return the click command; `lookup` reads a setting by its variable's name."""

    @click.command("verify")
    @click.option("--respx", is_flag=True, help="Ask the mock behind respx, without a server.")
    @click.option("--url", metavar="URL", help="Ask this real Go API.")
    @click.option("--only", multiple=True, metavar="ID|GROUP", help="Run only these cases.")
    @click.option("--slow", is_flag=True, help="Run what takes long, too.")
    @click.option("--report", metavar="json:FILE", help="Write the results there as well.")
    @click.option("-v", "--verbose", is_flag=True, help="List the cases that agree.")
    @click.option("--list", "listed", is_flag=True, help="List all cases and stop.")
    def verify(
        respx: bool,
        url: str | None,
        only: tuple[str, ...],
        slow: bool,
        report: str | None,
        verbose: bool,
        listed: bool,
    ) -> int:
        """Compare a provider, case by case, with what the real Go API was observed to do.

        Without --respx or --url the served mock is started and asked. With --url the secrets come
        from JWT_HS256_SECRET and TENANT_HEADER_SECRET (or the TOOLBRIDGE_ names of the proxy) and
        TOOLBRIDGE_TENANT_ID; users named toolbridge-contract-… are used and wiped at the end.

        Exit codes: 0 all cases that ran agree, 1 one differs or there is no verdict,
        4 usage or configuration, 130 interrupted.
        """
        cases = select(only)
        if listed:
            click.echo("\n".join(f"{group:<12} {case.id}" for group, case in cases))
            return 0
        file = _destination(report)
        # `kill` is to wipe the users as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with _provider(lookup, url, respx=respx) as (name, provider):
                found = _run(cases, name, provider, slow=slow)
        except (Stopped, NoAnswer, Gone) as error:
            click.echo(f"toolbridge: {error}", err=True)
            return error.code if isinstance(error, Stopped) else NO_VERDICT
        except KeyboardInterrupt:
            click.echo("toolbridge: interrupted", err=True)
            return INTERRUPTED
        click.echo(render(found, every=verbose), nl=False)
        if file is not None:
            _write(file, found)
        return NO_VERDICT if found.red else 0

    return verify


def select(only: Sequence[str]) -> list[tuple[str, Case]]:
    """Return the cases that `only` names by id or group, all of them for nothing."""
    # Six hundred cases are of no use to the other commands of the same command line.
    from toolbridge_contract.provider.cases import GROUPS, all_cases

    cases = all_cases()
    known = {*GROUPS, *(case.id for _, case in cases)}
    for word in only:
        if word not in known:
            near = difflib.get_close_matches(word, sorted(known), 3)
            hint = f"; did you mean {', '.join(near)}?" if near else "; --list shows all"
            raise Usage(f"--only {word}: no case or group has this name{hint}")
    return [(group, case) for group, case in cases if not only or {group, case.id} & {*only}]


def _destination(report: str | None) -> Path | None:
    if report is None:
        return None
    kind, _, name = report.partition(":")
    if kind != "json" or not name:
        raise Usage(f"--report {report}: give json:FILE")
    path = Path(name)
    try:
        # An old report must not pass for this run's, should this run not get that far.
        path.touch()
        path.unlink()
    except OSError as error:
        raise Usage(f"--report {report}: cannot be written: {error.strerror}") from None
    return path


def _write(path: Path, report: Report) -> None:
    try:
        path.write_text(json.dumps(to_json(report), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise Usage(f"--report json:{path}: cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def _provider(lookup: Lookup, url: str | None, *, respx: bool) -> Iterator[tuple[str, Provider]]:
    if respx and url is not None:
        raise Usage("--respx and --url exclude each other")
    if respx:
        with mounted() as mock:
            yield "mock behind respx", mock
    elif url is None:
        with served_mock() as served:
            yield "served mock", served
    else:
        address, secrets = _address(url), _secrets(lookup)
        with contextlib.closing(Served(address, secrets)) as api:
            preflight(api)
            yield address, api


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Usage(f"--url {url!r} is not a URL: {error}") from None
    if parsed.userinfo:
        raise Usage("--url holds a user name or password: secrets go in the environment")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Usage(f"--url {url!r} is not a URL: it starts with https:// and names a host")
    if parsed.raw_path not in (b"", b"/"):
        raise Usage(f"--url {url!r} has a path: the Go API lives at the root")
    return str(parsed).rstrip("/")


def _secrets(lookup: Lookup) -> Secrets:
    found = []
    for names in (_JWT_NAMES, _TENANT_NAMES, _TENANT_ID):
        value = next(filter(None, map(lookup, names)), None)
        if not value:
            raise Usage(f"{' or '.join(names)} is not set: a real API needs it")
        if value != value.strip():
            raise Usage(f"{names[0]} has blanks or line breaks around its value: remove them")
        found.append(value)
    return Secrets(*found)


def _run(cases: Sequence[tuple[str, Case]], name: str, provider: Provider, *, slow: bool) -> Report:
    world = World(provider)
    try:
        results = run(cases, provider, slow=slow, world=world, seen=_Progress(len(cases)))
    except (KeyboardInterrupt, Gone):
        if not provider.is_mock:
            click.echo(_clean_up(world), err=True)
        raise
    return Report(name, results, "" if provider.is_mock else _clean_up(world))


def _clean_up(world: World) -> str:
    """Wipe the users of the run and say what remains."""
    try:
        left = world.clean_up()
    except (KeyboardInterrupt, NoAnswer):
        return f"the users {MARK}… could not be wiped: what they made is still there"
    wiped = len(world.subjects) - len(left)
    note = (
        f"wiped {wiped} users ({MARK}…); their user rows remain, as the API has no call that "
        "removes them"
    )
    return "\n".join([note, *(f"not wiped: {subject}" for subject in left)])


class _Progress:
    """A line that counts, for people who wait."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = sys.stderr.isatty()

    def __call__(self, result: Result) -> None:
        self._done += 1
        if self._shown:
            end = "\n" if self._done == self._total else ""
            sys.stderr.write(f"\r\x1b[K{self._done}/{self._total} {result.case.id}{end}")
            sys.stderr.flush()
