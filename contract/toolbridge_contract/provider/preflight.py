"""A first conversation with an API: what makes a run pointless is named, in one line."""

import json
import time
from datetime import UTC, datetime

from toolbridge_contract.provider.case import Step
from toolbridge_contract.provider.exchange import Actor, Answer, Outgoing, of_step
from toolbridge_contract.provider.judge_headers import NAMES
from toolbridge_contract.provider.providers import NoAnswer, Served
from toolbridge_contract.provider.world import MARK
from toolbridge_contract.signing import MAX_SKEW_SECONDS

NO_VERDICT, CONFIGURATION = 1, 4
# The quickest of these tells the clock best.
_PROBES = 5
_OWN = frozenset(name.lower() for name in NAMES)
_SHOWN = 80


class Stopped(Exception):
    """The run cannot be made; carries the line to print and the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def preflight(api: Served) -> None:
    """Learn the API's clock, distance and what stands in between; raises Stopped.

    Sets `offset`, `delay`, `between`, `no_wire` and `frames` of `api`.
    """
    health = _get(api, "/healthz")
    if 300 <= health.status < 400:
        raise Stopped(
            f"{api.url} redirects to {health.first('location')}: give the address it leads to",
            CONFIGURATION,
        )
    if (health.status, health.body) != (200, b"ok"):
        raise _not_an_api(api, "/healthz", health)
    _learn_clock(api)
    if abs(api.offset) > MAX_SKEW_SECONDS:
        where = "ahead of" if api.offset > 0 else "behind"
        raise Stopped(
            f"the clocks differ: the API's runs {abs(api.offset):.0f} s {where} this machine's, "
            f"and signatures more than {MAX_SKEW_SECONDS:.0f} s off are refused; set the wrong one "
            "right",
            NO_VERDICT,
        )
    between = sorted(name for name in health.names if name not in _OWN)
    if between:
        api.no_wire = f"something in between adds headers ({', '.join(between)}) and reads first"
        api.frames = False
        api.between = frozenset(between)
    _begin(api)


def _get(api: Served, path: str) -> Answer:
    try:
        return api.send(Outgoing("GET", path, [], b""))
    except NoAnswer as error:
        reason = str(error).removeprefix("no answer: ")
        raise Stopped(f"{api.url} cannot be reached: {reason}", NO_VERDICT) from None


def _learn_clock(api: Served) -> None:
    best = float("inf")
    for _ in range(_PROBES):
        start = time.time()
        answer = _get(api, "/v1/sync/info")
        took = time.time() - start
        shown = _server_time(answer)
        if shown is None:
            raise _not_an_api(api, "/v1/sync/info", answer)
        if took < best:
            best = took
            api.offset = shown - (start + took / 2)
    api.delay = best


def _server_time(answer: Answer) -> float | None:
    try:
        text = str(json.loads(answer.body)["serverTime"])
        # Python reads six digits of a fraction, Go writes nine.
        return datetime.fromisoformat(text[:26].rstrip("Z")).replace(tzinfo=UTC).timestamp()
    except (ValueError, KeyError, TypeError):
        return None


def _is_session(answer: Answer) -> bool:
    """Whether an answer has what all cases start from: an id, and an epoch that is a number."""
    try:
        session = json.loads(answer.body)
        return isinstance(session["id"], str) and isinstance(session["epoch"], int)
    except (ValueError, KeyError, TypeError):
        return False


def _not_an_api(api: Served, path: str, answer: Answer) -> Stopped:
    shown = " ".join(answer.body[:_SHOWN].decode("utf-8", "replace").split())
    return Stopped(
        f"{api.url} is not a ToolBridge Go API: GET {path} answered {answer.status} {shown!r} "
        "(--url takes the Go API's own address, not the MCP proxy's)",
        CONFIGURATION,
    )


def _begin(api: Served) -> None:
    """Begin a session with correct headers: the two 401 texts say which secret is wrong."""
    step = Step("POST", "/v1/sync/sessions")
    values = {"tenant": api.secrets.tenant_id}
    try:
        answer = api.send(of_step(step, Actor(f"{MARK}00"), values, api.secrets, api.now()))
    except NoAnswer as error:
        raise Stopped(
            f"{api.url} answers /healthz, but not sessions: {error}", NO_VERDICT
        ) from None
    text = answer.body.decode("utf-8", "replace").strip()
    if answer.status == 201 and _is_session(answer):
        return
    causes = {
        (401, "unauthorized"): (
            "the JWT secret is wrong: the API refuses a fresh HS256 token; set JWT_HS256_SECRET "
            "(or TOOLBRIDGE_JWT_SECRET) to the API's own JWT_HS256_SECRET"
        ),
        (401, "Unauthorized: invalid tenant headers"): (
            "the tenant secret is wrong: the API takes the token and refuses the signature; set "
            "TENANT_HEADER_SECRET (or TOOLBRIDGE_TENANT_HEADER_SECRET) to the API's own"
        ),
        (401, "Unauthorized: missing tenant header"): _LATER,
        (403, "Unauthorized: not authorized for requested tenant"): _LATER,
    }
    cause = causes.get((answer.status, text))
    if cause is None:
        raise Stopped(
            f"sessions cannot be begun: POST /v1/sync/sessions answered {answer.status} "
            f"{text[:_SHOWN]!r}",
            NO_VERDICT,
        )
    raise Stopped(cause, CONFIGURATION)


_LATER = (
    "this API is of a later generation, which does not verify signed tenant headers: "
    "these cases describe the signed-header generation"
)
