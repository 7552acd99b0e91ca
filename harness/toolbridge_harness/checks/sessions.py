"""Sync sessions between the proxy and the Go API."""

import asyncio
import json

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.model import Capability, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import NOTHING_UPSTREAM, Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CREATE = "/v1/sync/sessions"


def _header(request: RecordedRequest, name: str) -> str:
    return ",".join(value for key, value in request.headers if key.lower() == name.lower())


def _creates(requests: list[RecordedRequest]) -> list[RecordedRequest]:
    return [r for r in requests if r.method == "POST" and r.target == _CREATE]


def _entities(requests: list[RecordedRequest]) -> list[RecordedRequest]:
    return [r for r in requests if "/v1/sync/" not in r.target]


@check(
    "sessions-headers",
    "Entity requests carry a session and its epoch as a bare number",
    severity=Severity.HIGH,
    catalogue="SES-01",
    source="check catalogue SES-01",
    remedy="Send X-Sync-Session and X-Sync-Epoch from the answer of POST /v1/sync/sessions.",
    why="A missing epoch counts as 0 and is refused with 409; a missing session with 428.",
    needs=NEEDS,
    explained_by=(
        "signing-every-request",
        "signing-recomputed",
        "signing-unit",
        "signing-fresh",
        "sessions-own",
    ),
    broken="entity requests do not carry the session and epoch that the Go API gave",
)
async def entity_requests_carry_a_session(target: Target, caller: Caller) -> None:
    """Reads session and epoch of the first entity request after a session was made."""
    await caller.call("list_notes", {"limit": 1})
    requests = await caller.upstream()
    if not requests:
        raise Untestable(NOTHING_UPSTREAM)
    require(_creates(requests), "a session to be made", [r.target for r in requests])
    entities = _entities(requests)
    require(entities, "an entity request after the session was made", "none was sent")
    require(_header(entities[0], "X-Sync-Session"), "X-Sync-Session on it", "none")
    require_equal("1", _header(entities[0], "X-Sync-Epoch"), "X-Sync-Epoch of a new user:")


@check(
    "sessions-own",
    "A session is only ever presented by the caller it was made for",
    severity=Severity.CRITICAL,
    catalogue=("SES-03", "SES-04", "TEN-19"),
    source="MCP security best practices, state handles; CWE-488",
    remedy="Key the session cache by (issuer, sub), and by nothing that two users share.",
    why="A session of somebody else is refused at best, and reads their data at worst.",
    needs={*NEEDS, Vantage.MINT},
    explained_by=("signing-every-request", "signing-recomputed", "signing-unit", "signing-fresh"),
    broken="sessions are shared between callers: the cache is not keyed by the user",
)
async def sessions_belong_to_their_caller(target: Target, caller: Caller) -> None:
    """Lets nine users call at once, four times, six of them with almost another's name."""
    users = [caller, *(target.caller() for _ in range(3))]
    # 200 characters are more than any cache should cut; two that differ in the last one.
    long = caller.sub.ljust(199, "x")
    users += [_named(target, sub) for sub in (caller.sub.upper(), f"{caller.sub} ")]
    users += [_named(target, sub) for sub in (f"{long}a", f"{long}b", f"{caller.sub}:a")]
    # First calls at once: whoever shares the making of a session between users shows it here.
    for _ in range(4):
        target.random.shuffle(users)
        await asyncio.gather(*(user.call("list_notes", {"limit": 2}) for user in users))
    owners: dict[str, str] = {}
    for user in users:
        for request in _entities(await user.upstream()):
            session = _header(request, "X-Sync-Session")
            owner = owners.setdefault(session, user.sub)
            require(owner == user.sub, "a session for each user", "one session, two users")


def _named(target: Target, sub: str) -> Caller:
    """Return a caller of just that name."""
    user = target.caller()
    identity = target.deployment.tokens.identity(sub)
    if identity is None:
        raise Untestable("no token for a second user")
    user.sub, user.token = identity
    target.deployment.callers[user.sub] = user.marker
    return user


@check(
    "sessions-single-flight",
    "Concurrent first calls of one user make one session, not one each",
    severity=Severity.MEDIUM,
    catalogue="SES-05",
    source="OWASP API4:2023; check catalogue SES-05",
    remedy="Let callers of the same user wait for the session that is already being made.",
    why="Session creation is not rate-limited upstream: a burst fills its store.",
    needs=NEEDS,
    capability=Capability.SESSION_CACHE,
    explained_by=("control-token", "sessions-own"),
    broken="a burst of first calls makes a session each",
)
async def first_calls_share_one_session(target: Target, caller: Caller) -> None:
    """Makes twenty first calls at once, while a session takes 0.3 s to make."""
    # Made at once, the session of the first call would be there when the last call comes.
    await target.caller().control()
    await caller.inject(kind="delay", path=_CREATE, seconds=0.3, times=None)
    replies = await asyncio.gather(*(caller.call("list_notes", {"limit": 1}) for _ in range(20)))
    failed = [reply.brief for reply in replies if not reply.ok]
    require_equal([], failed[:1], "failed calls among twenty first ones:")
    await target.mock.clear_faults(caller.sub)
    made = len(_creates(await caller.upstream()))
    seen = await caller.mark()
    await caller.control()
    # A proxy that makes a session for every request is conformant, if wasteful (SES-24).
    caching = not _creates(await caller.upstream(seen))
    require(made <= 3 or not caching, "at most 3 sessions for 20 calls", made)


@check(
    "sessions-recovered-read",
    "A read that meets a lost session succeeds with a new one",
    severity=Severity.HIGH,
    catalogue="SES-08",
    source="RFC 6585 §3; check catalogue SES-08",
    remedy="On 428, make a new session and repeat the request once.",
    why="The Go API keeps sessions in memory: each of its restarts loses all of them.",
    needs=NEEDS,
    explained_by=("control-token", "sessions-own"),
    broken="the proxy does not recover when the Go API has lost its session",
)
async def read_survives_a_lost_session(target: Target, caller: Caller) -> None:
    """Drops the caller's sessions in the Go API and lists notes again."""
    await caller.control()
    before = await caller.mark()
    await target.mock.drop_sessions(caller.sub)
    reply = await caller.call("list_notes", {"limit": 1})
    require(reply.ok, "the call to succeed with a new session", reply.brief)
    requests = await caller.upstream(before)
    require_equal(1, len(_creates(requests)), "new sessions:")
    require(len(_entities(requests)) <= 2, "at most 2 entity requests", len(_entities(requests)))


@check(
    "sessions-recovered-write",
    "A write that meets a lost session happens exactly once",
    severity=Severity.HIGH,
    catalogue="SES-09",
    source="check catalogue SES-09",
    remedy="428 is answered before anything is written, so one repetition is safe: do it once.",
    why="Giving up loses the user's note; repeating blindly writes it twice.",
    needs=NEEDS,
    explained_by=("sessions-own", "sessions-recovered-read"),
    broken="a write that meets a lost session fails or happens twice",
)
async def write_survives_a_lost_session(target: Target, caller: Caller) -> None:
    """Drops the caller's sessions, creates a note, and counts the notes."""
    await caller.control_write()
    await target.mock.drop_sessions(caller.sub)
    title, seen = caller.text("once"), await caller.mark()
    await caller.ok("create_note", {"title": title, "content": "x"})
    # The one that met the lost session, and the one repetition; by their uid, all write one note.
    sent = len(_entities(await caller.upstream(seen)))
    require(sent <= 2, "at most 2 entity requests", sent)
    items = (await caller.given("list_notes", {"limit": 1000}))["items"]
    titles = [item["payload"].get("title") for item in items]
    require_equal(1, titles.count(title), "notes with the title written:")


@check(
    "sessions-bounded-recovery",
    "A session that stays refused ends in a clear error, not in a loop",
    severity=Severity.HIGH,
    catalogue="SES-10",
    source="OWASP API4:2023; check catalogue SES-10",
    remedy="Recover once per call, then answer session_unavailable.",
    why="A loop multiplies every call just when the Go API is in trouble.",
    needs=NEEDS,
    explained_by=("control-token", "sessions-own"),
    broken="the proxy does not give up cleanly when sessions stay refused",
)
async def recovery_is_bounded(target: Target, caller: Caller) -> None:
    """Makes the Go API answer 428 to every entity request of a read and of a create."""
    await caller.control_write()
    body = json.dumps({"error": "Invalid or expired sync session.", "correlation_id": "c"})
    await caller.inject(
        kind="answer", path="/v1/notes.*", times=None, status=428, body=body.encode()
    )
    note = {"title": caller.text(), "content": "x"}
    for tool, arguments in (("list_notes", {"limit": 1}), ("create_note", note)):
        before = await caller.mark()
        reply = await caller.call(tool, arguments)
        require_equal("session_unavailable", reply.code, f"{tool}: error code")
        entities = _entities(await caller.upstream(before))
        require(len(entities) <= 2, f"{tool}: at most 2 entity requests", len(entities))


@check(
    "sessions-epoch",
    "After a wipe on another device, calls go on with the new epoch",
    severity=Severity.HIGH,
    catalogue=("SES-12", "SES-13"),
    source="check catalogue SES-13",
    remedy="Take session and epoch from one and the same answer, and replace both together.",
    why="A new session with the old epoch is refused with 409 for ever.",
    needs=NEEDS,
    explained_by=("sessions-own", "sessions-recovered-read"),
    broken="after a wipe the proxy keeps presenting the old epoch",
)
async def wipe_renews_session_and_epoch(target: Target, caller: Caller) -> None:
    """Wipes the caller's data as another device would, and calls again."""
    await caller.control()
    before = await caller.mark()
    await target.mock.wipe(caller.sub)
    reply = await caller.call("list_notes", {"limit": 1})
    if reply.code == "epoch_mismatch":
        # Reporting it once and succeeding next time is as right as recovering within the call.
        reply = await caller.call("list_notes", {"limit": 1})
    require(reply.ok, "a call after the wipe to succeed", reply.brief)
    sent = _entities(await caller.upstream(before))
    require(bool(sent), "a request after the wipe", "none")
    last = sent[-1]
    require_equal("2", _header(last, "X-Sync-Epoch"), "X-Sync-Epoch after the wipe:")


@check(
    "sessions-conflict-not-retried",
    "A version conflict is reported, not mistaken for a stale epoch and retried",
    severity=Severity.HIGH,
    catalogue="SES-14",
    source="RFC 9110 §15.5.10; check catalogue SES-14",
    remedy='Recover a 409 only when its body says "epoch_mismatch".',
    why="Retrying a conflict writes over the change that caused it.",
    needs=NEEDS,
    explained_by=("control-token", "sessions-own", "tools-patch-exact"),
    broken="every 409 is treated as a stale epoch and retried",
)
async def version_conflict_is_not_retried(target: Target, caller: Caller) -> None:
    """Makes the Go API answer one PATCH with a version conflict."""
    note = await caller.given("create_note", {"title": caller.text(), "content": "x"})
    before = await caller.mark()
    body = {"error": "version mismatch: expected 3, actual 4", "correlation_id": "c"}
    await caller.inject(
        kind="answer", methods=("PATCH",), status=409, body=json.dumps(body).encode()
    )
    reply = await caller.call("patch_note", {"uid": note["uid"], "updates": {"a": 1}})
    require_equal("conflict", reply.code, "error code")
    requests = await caller.upstream(before)
    require_equal(1, len(_entities(requests)), "entity requests:")
    # A proxy that makes a session for every request has made one for this.
    require(len(_creates(requests)) <= 1, "no session made for the conflict", "one was")
