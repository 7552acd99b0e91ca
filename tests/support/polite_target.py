"""A target that creates and deletes objects, and can be told to answer otherwise."""

import json
import random
from collections.abc import Callable
from typing import Any

import httpx

from support.harness_fakes import a_deployment
from toolbridge_harness.budget import Budget
from toolbridge_harness.courtesy import Courtesy
from toolbridge_harness.created import Created
from toolbridge_harness.target import Caller, Target

Answer = Callable[[httpx.Request], httpx.Response]


def tool_result(data: dict[str, Any], *, status: int = 200) -> Answer:
    """Return an answer in which the tool succeeded."""
    result = {"structuredContent": data, "content": []}
    return lambda _: httpx.Response(status, json={"jsonrpc": "2.0", "id": 1, "result": result})


def tool_error(code: str, uid: str | None = None) -> Answer:
    """Return an answer in which the tool failed by the error contract."""
    error = {"error": {"code": code, "message": "x", "uid": uid}}
    result = {"isError": True, "structuredContent": error, "content": []}
    return lambda _: httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": result})


def rpc_error(code: int) -> Answer:
    """Return a JSON-RPC error."""
    error = {"code": code, "message": "x"}
    return lambda _: httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "error": error})


def raises(error: type[httpx.HTTPError]) -> Answer:
    """Return an answer that never comes."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise error("x")

    return answer


class PoliteTarget:
    """Objects by uid with the token that created them; `answers` replace those of a tool."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self.deleted: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.sent = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        call = json.loads(request.content)["params"]
        name, uid = call["name"], call["arguments"].get("uid")
        if name in self.answers:
            return self.answers[name](request)
        token = request.headers.get("authorization", "")
        if name.startswith("create_"):
            uid = f"uid-{len(self.objects)}"
            self.objects[uid] = token
            return tool_result({"uid": uid})(request)
        if self.objects.get(uid) != token:
            return tool_error("not_found")(request)
        del self.objects[uid]
        self.deleted.append(uid)
        return tool_result({})(request)

    def caller(self, limit: int | None = None) -> Caller:
        """Return a caller of this target in a run that remembers what it creates."""
        budget = Budget(limit)
        courtesy = Courtesy(budget=budget, created=Created(budget, keeps=True))
        deployment = a_deployment(self, courtesy=courtesy)
        return Target(deployment, "demo-holds", random.Random(1)).caller()
