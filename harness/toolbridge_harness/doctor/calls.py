"""Probes P8, P18 and P20: the ladder of tokens, and the caller's real calls."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toolbridge_contract.tokens import mint
from toolbridge_harness.doctor.answers import Answer, Asker
from toolbridge_harness.doctor.model import EDGE_STATUSES, Probe
from toolbridge_harness.tokens import Minted, TokenSource

# With one list per call and one more for a recovered session this stays under the Go API's
# refill of 10 requests a second.
REPEATS, PAUSE_SECONDS = 6, 0.2
# Failures that may be those of one replica, so that the other calls matter.
_INTERMITTENT = {"", "tenant_headers_rejected", "session_unavailable", "no_answer"}
LIST = "list_notes limit=1"


@dataclass(frozen=True)
class Caller:
    """Whose token is used: the person's own, or one minted for a subject of the doctor."""

    token: str
    own: bool
    source: TokenSource
    tenant: str


def ladder(asker: Asker, caller: Caller) -> Iterator[Probe]:
    """P8: tokens that must be refused, each wrong in one thing."""
    sub = f"doctor-{secrets.token_hex(4)}"
    yield _rung(asker, "no_token", "no token", None)
    yield _rung(asker, "garbage", "a token that is none", "garbage")
    stranger = mint(sub, caller.tenant, secrets.token_urlsafe(48))
    yield _rung(asker, "wrong_key", "a token of an unknown key", stranger)
    if isinstance(caller.source, Minted):
        key, claims = caller.source.secret, caller.source.claims
        old = mint(sub, caller.tenant, key, now=time.time() - 86_400, **claims)
        yield _rung(asker, "expired", "a token that expired yesterday", old)
    foreign = caller.source.foreign(sub, f"doctor-{secrets.token_hex(4)}")
    if foreign is not None:
        yield _rung(asker, "other_tenant", "a token of another tenant", foreign)


def _rung(asker: Asker, name: str, what: str, token: str | None) -> Probe:
    answer = asker.notes(token)
    seen = {"status": answer.status, "ok": answer.ok, "code": answer.code}
    # A server that denies inside of HTTP 200 is unusual, and denies.
    refused = not answer.ok and answer.status in (200, 401, 403)
    return Probe(
        name, "P8", f"{LIST}, {what}", answer.brief, "refused with 401 or 403", refused, seen
    )


def real_calls(asker: Asker, caller: Caller, again: Callable[[], Answer]) -> Iterator[Probe]:
    """P8's last rung, P18 and P20; `again` makes the same call on a connection of its own."""
    answer = asker.notes(caller.token)
    yield _admitted(asker, caller, answer)
    if answer.status in (401, 403, 421):
        return
    code = answer.code
    seen = {"code": code, "status": answer.status, "session_lost": answer.session_lost}
    whose = "the given token" if caller.own else "a minted token"
    yield Probe("call", "P18", f"{LIST}, {whose}", answer.brief, "a list", answer.ok, seen)
    if code == "rate_limited" and (other := _other_user(caller)):
        yield _other(asker.notes(other))
    if code in _INTERMITTENT or answer.status in EDGE_STATUSES:
        yield _repeat(again)


def _admitted(asker: Asker, caller: Caller, answer: Answer) -> Probe:
    headers = answer.reply.headers if answer.reply else {}
    minted_works = None
    if answer.status == 401 and caller.own and (fresh := _other_user(caller)):
        minted_works = asker.notes(fresh).status not in (401, 403)
    seen = {
        "status": answer.status,
        "code": answer.explicit_code,
        "challenge": headers.get("www-authenticate"),
        "minted_works": minted_works,
    }
    ok = answer.status not in (401, 403, 421)
    got = f"HTTP {answer.status}" if ok and answer.status else answer.brief
    got += "; a token minted here works" if minted_works else ""
    whose = "the given token" if caller.own else "a minted token"
    return Probe("admitted", "P8", f"{LIST}, {whose}", got, "past the token gate", ok, seen)


def _other_user(caller: Caller) -> str | None:
    if not isinstance(caller.source, Minted):
        return None
    found = caller.source.identity(f"doctor-{secrets.token_hex(4)}")
    return found[1]


def _other(answer: Answer) -> Probe:
    ok = answer.code != "rate_limited"
    seen = {"code": answer.code}
    return Probe("other_user", "P20", f"{LIST}, another user", answer.brief, "a list", ok, seen)


def _repeat(again: Callable[[], Answer]) -> Probe:
    answers = []
    for _ in range(REPEATS):
        time.sleep(PAUSE_SECONDS)
        answers.append(again())
    codes = [answer.code for answer in answers]
    counted = Counter(code or "success" for code in codes)
    got = ", ".join(f"{count} times {code}" for code, count in sorted(counted.items()))
    seen = {
        "codes": codes,
        "statuses": [answer.status for answer in answers],
        "session_lost": any(answer.session_lost for answer in answers),
    }
    return Probe(
        *("repeat", "P18", f"{LIST}, {REPEATS} times, each on a fresh connection", got),
        *(f"{REPEATS} times success", not any(codes), seen),
    )
