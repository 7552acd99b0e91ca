"""A first conversation with the target, so that a dead or dumb server is named as what it is.

Without it, a server that refuses everything would pass every check of a refusal, and one that
is down would produce one error per check.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from toolbridge_harness.model import Cause
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation
from toolbridge_harness.wire import Call, Era, Reply, initialize, tool_call

# A scaled-to-zero machine needs a few seconds to wake; everything else answers at once.
PROBE_SECONDS = 5.0
FATAL = "preflight"


@dataclass(frozen=True)
class Probe:
    """One question of the first conversation, and what came back: an answer, or why not."""

    name: str
    reply: Reply | None
    problem: str = ""

    @property
    def silent(self) -> bool:
        """Connected, but no answer in time."""
        return self.reply is None and "cannot be reached" not in self.problem


@dataclass(frozen=True)
class Preflight:
    """What the first conversation found."""

    fatal: Cause | None
    stateful: bool = False
    eras: frozenset[Era] = frozenset(Era)


async def preflight(target: Target, caller: Caller) -> Preflight:
    """Ask the target a handful of questions at once, and name what makes a run pointless."""
    probes = await _converse(target, caller)
    fatal = diagnose(probes)
    hello = next(p for p in probes if p.name == "initialize")
    minted = hello.reply is not None and "mcp-session-id" in hello.reply.headers
    return Preflight(fatal, stateful=minted, eras=await _eras(target, caller))


async def _eras(target: Target, caller: Caller) -> frozenset[Era]:
    """Return the eras that the target speaks; the handshake era is always asked for."""
    discover = Call("server/discover", era=Era.MODERN, token=caller.token)
    probe = await _ask(target, "server/discover", discover)
    supported = probe.reply.result.get("supportedVersions") if probe.reply else None
    if isinstance(supported, list) and Era.MODERN.value in supported:
        return frozenset(Era)
    return frozenset({Era.LEGACY})


async def still_alive(target: Target, caller: Caller) -> Cause | None:
    """Ask again at the end: a target that stopped answering half-way is named as that."""
    probes = await _converse(target, caller)
    if any(probe.reply is not None for probe in probes):
        return None
    return died(f"it answered at the start, and at the end: {probes[0].problem}")


def died(how: str) -> Cause:
    """Return the cause for a target that was there at first."""
    return Cause(
        f"{FATAL}-died",
        f"the target died half-way: {how}",
        "Read the end of its log. Until it survives a run, no other result means anything.",
        (),
    )


def never_started(how: str, *, runs: bool) -> Cause:
    """Return the cause for a command that did not get as far as listening."""
    if runs:
        said = f"the proxy runs, but not where it was told to: {how}"
        fix = "Listen on the port that TOOLBRIDGE_PORT names, or put {port} into the command."
        return Cause(f"{FATAL}-elsewhere", said, fix, ())
    return Cause(
        f"{FATAL}-never-started",
        f"the proxy never started: {how}",
        "Run the command by hand with the TOOLBRIDGE_* variables of docs/deployment.md.",
        (),
    )


async def _converse(target: Target, caller: Caller) -> list[Probe]:
    nonsense = f"verify/nonsense-{target.random.getrandbits(32):08x}"
    questions = {
        "initialize": initialize(),
        "tools/list": Call("tools/list"),
        "health_check": tool_call("health_check"),
        "list_notes without a token": tool_call("list_notes", {"limit": 1}),
        "an unknown method": Call(nonsense),
    }
    if caller.token is not None:
        questions["list_notes"] = caller.request("list_notes", {"limit": 1})
        questions["an unknown method with a token"] = replace(Call(nonsense), token=caller.token)
    return list(await asyncio.gather(*(_ask(target, n, c) for n, c in questions.items())))


async def _ask(target: Target, name: str, call: Call) -> Probe:
    try:
        reply = await target.http(
            "POST", target.mcp_url, call.header_list(), call.body(), seconds=PROBE_SECONDS
        )
    except (Violation, Untestable) as problem:
        return Probe(name, None, str(problem))
    return Probe(name, reply)


def diagnose(probes: Sequence[Probe]) -> Cause | None:
    """Return what is wrong with the target as a whole, or None. Pure."""
    for rule in _RULES:
        if rule.applies(probes):
            headline = rule.headline.format(first=probes[0])
            return Cause(f"{FATAL}-{rule.id}", headline, rule.remedy, ())
    return None


@dataclass(frozen=True)
class _Rule:
    id: str
    applies: Callable[[Sequence[Probe]], bool]
    headline: str
    remedy: str


def _statuses(probes: Sequence[Probe]) -> set[int | None]:
    return {None if p.reply is None else p.reply.status for p in probes}


def _canned(probes: Sequence[Probe]) -> bool:
    """An unknown method has no result: whoever gives one was not listening."""
    unknown = [p.reply for p in probes if p.name.startswith("an unknown method")]
    return bool(unknown) and all(r is not None and r.status < 300 and r.result for r in unknown)


def _same_text(probes: Sequence[Probe]) -> bool:
    texts = {None if p.reply is None else p.reply.text for p in probes}
    return _statuses(probes) <= {200, 201, 202, 204} and len(texts) == 1


_RULES: tuple[_Rule, ...] = (
    _Rule(
        "unreachable",
        lambda probes: all(p.reply is None and not p.silent for p in probes),
        "{first.problem}",
        "Check the URL, that the server runs, and that it listens on that address and port.",
    ),
    _Rule(
        "hangs",
        lambda probes: all(p.reply is None for p in probes),
        "the target hangs: it accepts connections and answers nothing",
        "Look for a blocked event loop, a lock, or a start-up that never ends.",
    ),
    _Rule(
        "401-to-everything",
        lambda probes: _statuses(probes) == {401},
        "the target answers 401 to everything, a valid token included",
        "Compare the target's JWT key with the one that signed these tokens, and check that "
        "initialize, tools/list and health_check need no token.",
    ),
    _Rule(
        "404-to-everything",
        lambda probes: _statuses(probes) == {404},
        "the target answers 404 to everything: there is no MCP endpoint at this path",
        "Give the MCP endpoint's full URL (the proxy serves /mcp), or fix the deployed path.",
    ),
    _Rule(
        "one-status-to-everything",
        lambda probes: len(_statuses(probes)) == 1 and _statuses(probes) != {200},
        "the target answers {first.reply.status} to everything",
        "This server is not working as an MCP server at all; read its log.",
    ),
    _Rule(
        "canned-success",
        lambda probes: _canned(probes) or _same_text(probes),
        "the target answers the same canned success to everything, "
        "even to a method that does not exist",
        "Point the suite at the proxy itself: this looks like a stub or a catch-all route.",
    ),
    _Rule(
        "not-mcp",
        lambda probes: not any(p.reply is not None and p.reply.message for p in probes),
        "the target is no MCP server: no answer holds a JSON-RPC message",
        "Check the URL; an MCP endpoint answers a POST with JSON or an event stream.",
    ),
)
