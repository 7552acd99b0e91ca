"""Minutes under faults: what was acknowledged is there once, what failed is not, nobody crashes."""

import asyncio
import json
import random
import time
from typing import Any

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.notebook import Note, Notebook
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, require
from toolbridge_harness.wire import Reply

# A minute meets each fault a hundred times; the catalogue's ten minutes only meet it more often.
SOAK_SECONDS = 60.0
_USERS = 20
# Six a second each, below the ten that the Go API lets one user do.
_PAUSE_SECONDS = (0.05, 0.25)
# Every so many writes, what was written is read back.
_READ_BACK = 8
_NOTES = "/v1/notes.*"
_SESSIONS = "/v1/sync/sessions"
_JSON = (("Content-Type", "application/json"),)
_ERROR = json.dumps({"error": "not now", "correlation_id": "c-1"}).encode()
_EPOCH = json.dumps({"error": "epoch_mismatch", "epoch": 1}).encode()

Fault = dict[str, Any]


def _faults() -> list[Fault]:
    """Return the table of faults; what a gateway says, it may say after the write was made."""
    refused = (400, 403, 404, 409, 410, 412, 413, 415, 429, 428, 500, 501, 503)
    answers: list[Fault] = [{"path": _NOTES, "status": status} for status in refused]
    answers.append({"path": _NOTES, "status": 409, "body": _EPOCH})
    answers += [{"path": _SESSIONS, "status": status} for status in (401, 429, 500, 502, 503)]
    answers += [
        {"path": _NOTES, "status": status, "commit": commit}
        for status in (408, 502, 504, 307)
        for commit in (False, status != 307)
    ]
    for commit in (False, True):
        answers.append({"path": _NOTES, "status": 201, "body": b"<html>", "commit": commit})
        lost = [{"kind": kind, "commit": commit} for kind in ("reset", "truncate", "reset", "hang")]
        answers += [{"path": _NOTES, **fault} for fault in lost]
    answers += [{"path": _NOTES, "kind": "delay", "seconds": 0.2}]
    answers += [{"path": _SESSIONS, "kind": kind} for kind in ("reset", "truncate")]
    return [{"headers": _JSON, "body": _ERROR, **fault} for fault in answers]


async def _write(user: Caller, notebook: Notebook, dice: random.Random, what: str) -> Reply:
    """Make one write and take down what was said of it."""
    known, text = notebook.settled(), f"{dice.getrandbits(64):016x}"
    kind = dice.choice(("create", "patch", "delete")) if known else "create"
    note = dice.choice(known) if kind != "create" else Note(user.text(text))
    _, version = note.state or ("", 0)
    if kind == "create":
        notebook.notes[note.title] = note
        reply = await user.call("create_note", {"title": note.title, "content": text})
        note.uid = reply.data["uid"] if reply.ok else ""
    elif kind == "patch":
        updates = {"uid": note.uid, "updates": {"content": text}}
        reply = await user.call("patch_note", updates)
    else:
        reply = await user.call("delete_note", {"uid": note.uid})
    wanted = None if kind == "delete" else (text, version + 1)
    notebook.told(note, wanted, reply, f"a {kind} under {what}")
    return reply


async def _read_back(user: Caller, notebook: Notebook) -> None:
    for _ in range(10):
        reply = await user.call("list_notes", {"limit": 1000})
        if reply.ok:
            notebook.compare(reply.data["items"])
            return
        # The rate limit may be used up by calls that failed.
        await asyncio.sleep(1)
    raise Untestable(f"the notes could not be read back: {reply.brief}")


async def _live(user: Caller, dice: random.Random, until: float) -> None:
    """Write under one fault after another, and now and then under none, until the time is up."""
    notebook, faults, mock = Notebook(), _faults(), user.target.mock
    number = 0
    while time.monotonic() < until:
        fault = dice.choice(faults) if dice.random() < 0.8 else None
        what = "no fault"
        if fault is not None:
            what = ", ".join(f"{k} {v}" for k, v in fault.items() if k not in ("headers", "body"))
            # Twice: the second attempt of a retry may fail as well.
            await user.inject(**fault | {"times": dice.choice((1, 2))})
        elif dice.random() < 0.3:
            await mock.drop_sessions(user.sub)
        reply = await _write(user, notebook, dice, what)
        plain = fault is None and reply.code != "rate_limited"
        require(reply.ok or not plain, "a write without a fault to succeed", reply.brief)
        await mock.clear_faults(user.sub)
        number += 1
        if number % _READ_BACK == 0:
            await _read_back(user, notebook)
        await asyncio.sleep(dice.uniform(*_PAUSE_SECONDS))
    await _read_back(user, notebook)


@check(
    "resilience-soak",
    "Under a minute of faults, what is acknowledged happened once, and what failed did not",
    severity=Severity.HIGH,
    catalogue="RES-30",
    source="check catalogue RES-30, SM-2; RFC 9110 §9.2.2",
    remedy="The report names the fault and the note; replay it with the seed, alone.",
    why="Duplicates and losses come from faults that meet, which no single test thinks of.",
    needs={Vantage.TOKENS, Vantage.MINT, Vantage.UPSTREAM},
    profile=Profile.SOAK,
    alone=True,
    explained_by=(
        "control-token",
        "sessions-own",
        "errors-status-codes",
        "errors-lost-answer",
        "errors-write-timeout",
        "sessions-recovered-write",
        "resilience-create-once",
    ),
    broken="under faults, writes are lost, made twice, or reported as what they were not",
    seconds=SOAK_SECONDS + 60,
)
async def faults_lose_and_double_nothing(target: Target, caller: Caller) -> None:
    """Lets twenty users write under faults, and compares what is there with what was said."""
    users = [caller, *(target.caller() for _ in range(_USERS - 1))]
    await asyncio.gather(*(user.control() for user in users))
    until = time.monotonic() + SOAK_SECONDS
    try:
        async with asyncio.TaskGroup() as group:
            for user in users:
                dice = random.Random(target.random.getrandbits(64))
                group.create_task(_live(user, dice, until))
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    health = await caller.call("health_check", token=None)
    require(health.ok, "health_check to succeed afterwards", health.brief)
