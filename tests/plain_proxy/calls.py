"""A tool call, from its arguments to its result; every failure is a result too."""

import json
import time
from typing import Any

from plain_proxy import arguments, journal, session
from plain_proxy.failures import Failure
from plain_proxy.go_api import Errand, GoApi, Wish, bad_response
from plain_proxy.tools import Tool, wish

_DELETION: dict[str, type] = {"uid": str, "version": int, "updatedAt": str}
_ITEM = {**_DELETION, "payload": dict}


def health(given: dict[str, Any], correlation_id: str) -> dict[str, Any]:
    """Return the result of health_check: that the proxy answers, and nothing about it."""
    try:
        arguments.read({}, given)
    except Failure as failure:
        return _failed(failure, None, correlation_id)
    return _good({"status": "ok"})


async def call(tool: Tool, given: dict[str, Any], errand: Errand, api: GoApi) -> dict[str, Any]:
    """Return the result (CallToolResult) of one of the 40 tools; leaves one line in the log."""
    started = time.monotonic()
    values: dict[str, Any] = {}
    outcome = "cancelled"
    try:
        data = await _carry_out(tool, given, values, errand, api)
        outcome = "ok"
        return _good(data)
    except Failure as failure:
        outcome = failure.code
        return _failed(failure, values.get("uid"), errand.correlation_id)
    except Exception:  # noqa: BLE001 - ours, told by its correlation id alone
        journal.crash("tool_crashed", correlation_id=errand.correlation_id)
        outcome = "internal"
        return _failed(Failure("internal"), values.get("uid"), errand.correlation_id)
    finally:
        journal.info(
            "tool_call",
            tool=tool.name,
            uid=values.get("uid"),
            outcome=outcome,
            ms=round((time.monotonic() - started) * 1000, 1),
            principal=errand.caller.alias,
            tenant_id=api.settings.tenant,
            correlation_id=errand.correlation_id,
        )


async def _carry_out(
    tool: Tool, given: dict[str, Any], values: dict[str, Any], errand: Errand, api: GoApi
) -> Any:
    assert tool.entity is not None
    assert tool.verb is not None
    values |= arguments.read(tool.arguments, given)
    request = wish(tool.entity, tool.verb, values)
    data = await session.run(api, request, errand)
    if not _expected(request, data):
        raise Failure("outcome_unknown", request.lost) if request.lost else bad_response()
    return data


def _expected(request: Wish, data: Any) -> bool:
    if request.method == "DELETE":
        return _has(data, _DELETION)
    if request.method == "GET" and not request.route.endswith("{uid}"):
        good = _has(data, {"items": list}) and isinstance(data.get("nextCursor", ""), str)
        return good and all(_has(item, _ITEM) for item in data["items"])
    return _has(data, _ITEM)


def _has(data: Any, shape: dict[str, type]) -> bool:
    """Whether `data` is an object with these members; True and False are no integers."""
    return isinstance(data, dict) and all(
        isinstance(data.get(name), kind) and not isinstance(data.get(name), bool)
        for name, kind in shape.items()
    )


def _good(data: Any) -> dict[str, Any]:
    text = json.dumps(data, ensure_ascii=False)
    return {"content": [{"type": "text", "text": text}], "structuredContent": data}


def _failed(failure: Failure, uid: str | None, correlation_id: str) -> dict[str, Any]:
    error = failure.as_error(uid, correlation_id)
    return {
        "content": [{"type": "text", "text": f"{error['message']} ({failure.code})"}],
        "structuredContent": {"error": error},
        "isError": True,
    }
