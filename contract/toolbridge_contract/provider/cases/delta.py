"""Section 14: delta sync, side facts."""

from toolbridge_contract.provider.case import Case, Step, Then, Want

_PUSH = "/v1/sync/notes/push"
_STAMP = "2026-01-02T03:04:05.678Z"
_PUSHED = f'{{"title":"n0000","uid":"{{fresh}}","updatedTs":"{_STAMP}"}}'


def _stored(uid: str) -> Want:
    payload = f'{{"title":"n0000","uid":"{uid}","updatedTs":"{_STAMP}"}}'
    head = f'"uid":"{uid}","version":1,"updatedAt":"{_STAMP}"'
    return Want(200, "J RL", f'{{{head},"payload":{payload}}}\n')


def _refused(status: int, message: str) -> Want:
    text = f'[{{"uid":"","version":0,"updatedAt":"","error":"{message}"}}]\n'
    return Want(status, "J RL", text)


_ACK = f'[{{"uid":"{{fresh}}","version":1,"updatedAt":"{_STAMP}"'
_TWO = '{"items":[{"uid":"{fresh}","a":"\\u0000"},{"uid":"{unknown}"}]}'
_COMMENT = (
    f'{{"items":[{{"uid":"{{fresh}}","updatedTs":"{_STAMP}","parentType":"chat",'
    '"parentUid":"{chat}"}]}'
)

CASES = (
    Case(
        "delta-push",
        "POST",
        _PUSH,
        Want(200, "J RL", _ACK + "}]\n"),
        body=f'{{"items":[{_PUSHED}]}}',
    ),
    Case("delta-push-invalid-json", "POST", _PUSH, _refused(400, "invalid json"), body="{"),
    Case("delta-push-items-null", "POST", _PUSH, Want(200, "J RL", "[]\n"), body='{"items":null}'),
    Case(
        "delta-push-no-uid",
        "POST",
        _PUSH,
        _refused(200, "missing or invalid uid"),
        body='{"items":[{"title":"x"}]}',
    ),
    Case("delta-push-nul-aborts-all", "POST", _PUSH, _refused(500, "commit failed"), body=_TWO),
    Case(
        "delta-push-comment-on-chat",
        "POST",
        "/v1/sync/comments/push",
        Want(
            200,
            "J RL",
            _ACK + ",\"error\":\"invalid parent_type: chat (must be 'note' or 'task')\"}]\n",
        ),
        given=("chat",),
        body=_COMMENT,
    ),
    Case(
        "delta-pull",
        "GET",
        "/v1/sync/notes/pull?limit=1",
        Want(200, "J RL", f'{{"upserts":[{_PUSHED}],"deletes":[],"nextCursor":"<cur>"}}\n'),
        given=("empty", Step("POST", _PUSH, f'{{"items":[{_PUSHED}]}}', status=200)),
    ),
    Case(
        "delta-push-all-of-several",
        "POST",
        _PUSH,
        Want(
            200, "J RL", f'{_ACK}}},{{"uid":"{{unknown}}","version":1,"updatedAt":"{_STAMP}"}}]\n'
        ),
        body=f'{{"items":[{_PUSHED},{_PUSHED.replace("fresh", "unknown")}]}}',
        then=(
            Then("GET", "/v1/notes/{unknown}", _stored("{unknown}")),
            Then("GET", "/v1/notes/{fresh}", _stored("{fresh}")),
        ),
    ),
    Case(
        "delta-pull-deletes",
        "GET",
        "/v1/sync/notes/pull",
        Want(
            200,
            "J RL",
            # That it is named there follows from what a pull is for; how, was not observed.
            '{"upserts":[],"deletes":[<any>{gone}<any2>],"nextCursor":"<cur>"}\n',
        ),
        given=("empty", "deleted note"),
    ),
)
