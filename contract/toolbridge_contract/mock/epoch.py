"""The epoch gate: a client behind the user's epoch is told to start over."""

from toolbridge_contract.mock import gojson
from toolbridge_contract.mock.golang import parse_int
from toolbridge_contract.mock.messages import Call, Refused, json_answer
from toolbridge_contract.mock.users import User


def admit(call: Call, user: User) -> None:
    """Let an epoch at or ahead of the user's pass; raises Refused with 409.

    The Go code ignores the parse error, so a missing or unreadable value counts as 0 and an
    overflow as the largest integer of its sign. The refusal blanks a generated correlation id.
    """
    if parse_int(call.headers.get(b"x-sync-epoch", "")).value >= user.epoch:
        return
    if not call.correlation_sent:
        call.correlation_id = ""
    correlation = gojson.quote(call.correlation_id)
    call.extra.append((b"X-Sync-Epoch", b"%d" % user.epoch))
    raise Refused(
        json_answer(
            409,
            f'{{"correlation_id":{correlation},"epoch":{user.epoch},"error":"epoch_mismatch"}}',
        )
    )
