"""Properties 33 to 35: what a caller gives becomes one segment, one query value, one version."""

from typing import Any
from urllib.parse import parse_qs

from hypothesis import strategies as st

from support.body_proxy import REFUSALS, Outcome, Proxy
from support.body_values import (
    GO_INT64,
    UID_OPERATIONS,
    canonical,
    go_version,
    is_cursor,
    named_arguments,
)
from support.hostile_text import cursors, uids, versions
from support.proxy_app import GO_API
from support.proxy_upstream import UID
from support.signing_property import Properties
from toolbridge_contract.tools import ENTITIES, Entity, Operation

PROPERTIES = Properties()
entities = st.sampled_from(ENTITIES)
SUFFIX = {"archive": "/archive", "process": "/process"}
ABSENT: Any = ...


def refused(outcome: Outcome, proxy: Proxy) -> bool:
    """Say whether the arguments were refused; then nothing may have left."""
    if outcome.code not in REFUSALS:
        assert outcome.code is None, outcome.text
        return False
    assert outcome.status in (200, 400)
    assert proxy.untouched
    return True


# Each example is six calls, one per operation that takes a uid.
@PROPERTIES.add(33, share=0.6, entity=entities, uid=uids)
def path_closure(proxy: Proxy, entity: Entity, uid: str) -> None:
    """Property 33: a uid is refused, or is one canonical segment of exactly the right path."""
    meant = canonical(uid)
    for operation in UID_OPERATIONS:
        given = {"uid": uid} | named_arguments(entity, operation)
        if refused(proxy.call(entity.tool(operation), given), proxy):
            # The canonical spelling itself must work, or this proxy is safe and useless.
            assert uid != meant
            continue
        # Letters, digits, - and _ between slashes: RFC 3986 has nothing to normalise there.
        wanted = f"{entity.collection}/{meant}{SUFFIX.get(operation, '')}"
        assert f"{GO_API}{wanted}" == str(proxy.request.url)
        assert wanted.encode() == proxy.request.url.raw_path


@PROPERTIES.add(
    34, entity=entities, cursor=cursors, limit=st.integers(1, 1000), deleted=st.booleans()
)
def query_closure(proxy: Proxy, entity: Entity, cursor: str, limit: int, deleted: bool) -> None:
    """Property 34: a cursor is refused, or is one query value that changes no other."""
    given = {"cursor": cursor, "limit": limit, "include_deleted": deleted}
    if refused(proxy.call(entity.tool("list"), given), proxy):
        assert not is_cursor(cursor)
        return
    path, _, query = proxy.request.url.raw_path.decode().partition("?")
    wanted = {"cursor": [cursor], "limit": [str(limit)]}
    wanted |= {"includeDeleted": ["true"]} if deleted else {}
    assert entity.collection == path
    assert wanted == parse_qs(query, keep_blank_values=True, strict_parsing=True)
    assert "" == proxy.request.url.fragment


writes: st.SearchStrategy[Operation] = st.sampled_from(["update", "patch"])


@PROPERTIES.add(
    35,
    entity=entities,
    operation=writes,
    version=st.one_of(versions, st.sampled_from([0, None, ABSENT])),
)
def if_match(proxy: Proxy, entity: Entity, operation: Operation, version: Any) -> None:
    """Property 35: a whole version is read back by the Go API; anything else is refused."""
    given = {"uid": UID} | named_arguments(entity, operation)
    given |= {} if version is ABSENT else {"if_match": version}
    is_refused = refused(proxy.call(entity.tool(operation), given), proxy)

    if version is ABSENT or version is None:  # null for an optional argument means absent
        assert not is_refused
        assert "If-Match" not in proxy.request.headers
    elif type(version) is int and 0 <= version <= GO_INT64:
        assert not is_refused
        assert [version] == [go_version(h) for h in proxy.request.headers.get_list("If-Match")]
    else:
        assert is_refused
