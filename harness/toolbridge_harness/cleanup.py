"""The end of a run on a live deployment: what its checks created is deleted again."""

import asyncio
from random import Random

from toolbridge_harness.created import Write
from toolbridge_harness.deployment import Deployment
from toolbridge_harness.model import LeftBehind
from toolbridge_harness.target import Target
from toolbridge_harness.verdicts import Unreachable, Untestable, Violation
from toolbridge_harness.wire import tool_call

# A gate leaves 60 objects, which the polite rate deletes in 12 s; five times that for a target
# that is slow or in trouble.
SECONDS = 60.0
NO_TIME = "there was no time left to delete it"


async def clean_up(deployment: Deployment, seconds: float = SECONDS) -> tuple[LeftBehind, ...]:
    """Delete what the checks created, within `seconds`; return what is, or may be, left."""
    created = deployment.courtesy.created
    known = [write for write in created.open if write.uid]
    left = [_left(write, write.doubt) for write in created.open if not write.uid]
    reasons = dict.fromkeys(known, NO_TIME)
    try:
        async with asyncio.timeout(seconds):
            for write in known:
                reasons[write] = await _delete(deployment, write)
    except TimeoutError:
        pass
    except Unreachable as error:
        reasons |= {write: str(error) for write, reason in reasons.items() if reason}
    return (*left, *(_left(write, reason) for write, reason in reasons.items() if reason))


async def _delete(deployment: Deployment, write: Write) -> str:
    """Delete one object as who created it; return why it is still there, "" when it is not."""
    call = tool_call(
        write.entity.tool("delete"), {"uid": write.uid}, token=write.token, session=write.session
    )
    deployment.courtesy.created.forget(write)
    try:
        reply = await Target(deployment, "clean-up", Random()).send(call)
    except Unreachable:
        raise
    except (Violation, Untestable) as error:
        return str(error)
    gone = reply.ok or reply.code in {"gone", "not_found"}
    return "" if gone else deployment.redactor.clean(f"deleting it failed: {reply.brief}")


def _left(write: Write, reason: str) -> LeftBehind:
    certain = not write.doubt
    why = reason if certain or reason == write.doubt else f"{write.doubt}; {reason}"
    return LeftBehind(write.entity.singular, write.uid, write.user, why, certain)
