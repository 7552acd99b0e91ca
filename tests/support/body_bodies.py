"""Properties 36 and 37: the body says what the caller gave, and nothing that was not theirs."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from support.body_paths import entities, refused
from support.body_proxy import Proxy
from support.body_values import depth, exact, is_sendable, named_arguments, read_strictly
from support.hostile_text import hostile_json, json_values
from support.proxy_upstream import UID
from support.signing_property import Properties
from toolbridge_contract.tools import ENTITIES, Entity, Operation

PROPERTIES = Properties()

# Where a caller's own JSON goes, by operation.
OPEN: dict[Operation, str] = {
    "create": "additional_fields",
    "update": "additional_fields",
    "patch": "updates",
    "process": "metadata",
}
open_operations: st.SearchStrategy[Operation] = st.sampled_from(list(OPEN))
# What any proxy should carry: deeper than notes are, less than any parser's recursion.
PLAIN_DEPTH = 64


def expected_body(entity: Entity, operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON of the tool table, without the uid that create chooses."""
    if operation == "patch":
        return dict(given["updates"])
    if operation == "process":
        return {name: given[name] for name in ("action", "metadata") if name in given}
    names = entity.create if operation == "create" else entity.update
    body: dict[str, Any] = {field: given[name] for name, field in names.items() if name in given}
    if "archived" in names:
        body.setdefault("archived", False)
    body |= given.get("additional_fields", {})
    return body


# Each example is four calls, one per operation with a body of the caller's own.
@PROPERTIES.add(
    36,
    share=1.2,
    entity=entities,
    key=st.sampled_from(["value", "e\u0301", "a.b", "__proto__", ""]),
    value=hostile_json,
    modern=st.booleans(),
    ascii_only=st.booleans(),
)
def json_closure(
    proxy: Proxy, entity: Entity, key: str, value: Any, modern: bool, ascii_only: bool
) -> None:
    """Property 36: a value arrives as strict JSON, exact to the digit, or is refused."""
    for operation, argument in OPEN.items():
        given = named_arguments(entity, operation)
        given[argument] = {key: value}
        given |= {} if operation == "create" else {"uid": UID}
        outcome = proxy.call(entity.tool(operation), given, modern=modern, ascii_only=ascii_only)
        if refused(outcome, proxy):
            assert depth(value) > PLAIN_DEPTH or not is_sendable(value)
            continue
        assert is_sendable(value)
        body = read_strictly(proxy.request.content)
        if operation == "create":
            del body["uid"]
        assert exact(expected_body(entity, operation, given)) == exact(body)


@PROPERTIES.add(36, share=0.5, entity=entities, value=hostile_json, modern=st.booleans())
def text_closure(proxy: Proxy, entity: Entity, value: Any, modern: bool) -> None:
    """Property 36: so does what is given for a named argument; only its own type is taken."""
    assume(depth(value) <= PLAIN_DEPTH)
    base = named_arguments(entity, "create", full=True)
    for name in sorted(base.keys() - {"parent_type", "parent_uid", "chat_uid"}):
        given = base | {name: value}
        if value is None and name not in entity.required:
            given.pop(name)
        outcome = proxy.call(entity.tool("create"), base | {name: value}, modern=modern)
        good = is_sendable(value) and _is_like(base[name], value, name in entity.required)
        assert good != refused(outcome, proxy)
        if good:
            body = read_strictly(proxy.request.content)
            del body["uid"]
            assert exact(expected_body(entity, "create", given)) == exact(body)


def _is_like(sample: Any, value: Any, required: bool) -> bool:
    if value is None:
        return not required
    if isinstance(sample, list):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(sample) is type(value)


_FIELDS = sorted({field for entity in ENTITIES for field in entity.create.values()})
_SERVER = ["uid", "sync", "version", "updatedTs", "deletedAt", "owner_id", "UID", "Sync", "Title"]
_keys = st.one_of(st.sampled_from(_FIELDS), st.sampled_from(_SERVER), st.text("abU_.", max_size=3))


@PROPERTIES.add(
    37,
    entity=entities,
    operation=st.sampled_from(["create", "update"]),
    full=st.booleans(),
    extra=st.dictionaries(_keys, json_values, max_size=4),
)
def reserved_keys(
    proxy: Proxy, entity: Entity, operation: Operation, full: bool, extra: dict[str, Any]
) -> None:
    """Property 37: additional fields replace no named argument, no uid and no sync state."""
    explicit = named_arguments(entity, operation, full=full)
    names = entity.create if operation == "create" else entity.update
    reserved = {"uid", "sync", *names.values()}
    given = explicit | {"additional_fields": extra}
    given |= {} if operation == "create" else {"uid": UID}
    if refused(proxy.call(entity.tool(operation), given), proxy):
        assert reserved & extra.keys()
        return
    body = read_strictly(proxy.request.content)
    wanted = {names[name]: value for name, value in explicit.items()}
    wanted |= {key: value for key, value in extra.items() if key not in reserved}
    uid = body.get("uid", UID)
    assert exact(wanted) == exact({key: body.get(key) for key in wanted})
    assert "sync" not in body
    assert uid != extra.get("uid") if operation == "create" else uid == UID
