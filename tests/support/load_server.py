"""A stub MCP server with a dict for a store, as a process of its own.

Run as a script it serves on a free loopback port and prints the port. It can be told to be slow,
to refuse everybody, to forget what was written, or to refuse everything but the warm-up. It keeps
the arrival time and the caller of every tool call: GET /arrivals.
"""

import argparse
import asyncio
import json
import socket
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "load-test-secret-of-thirty-two-bytes!"
TENANT = "tenant-load"

Item = dict[str, Any]


@dataclass
class Stub:
    delay: float = 0.0
    refuse: bool = False
    forget: bool = False
    refuse_work: bool = False
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    arrivals: list[dict[str, Any]] = field(default_factory=list)

    async def mcp(self, request: Request) -> Response:
        message = await request.json()
        if message["method"] != "tools/call":
            return self.refusal() if self.refuse else self.handshake(message)
        tool = message["params"]["name"]
        warm_up = message["params"]["arguments"].get("limit") == 1
        self.arrivals.append({"at": time.time(), "tool": tool, "warm_up": warm_up})
        arguments = message["params"]["arguments"]
        # The preflight and the warm-up list one item; everything else is the work itself.
        if self.refuse or (self.refuse_work and arguments.get("limit") != 1):
            return self.refusal()
        token = request.headers["authorization"].removeprefix("Bearer ")
        caller = jwt.decode(token, SECRET, algorithms=["HS256"])["sub"]
        self.arrivals[-1]["caller"] = caller
        self.arrivals[-1]["agent"] = request.headers["user-agent"]
        if self.delay:
            await asyncio.sleep(self.delay)
        content = self.call(caller, tool, arguments)
        result = {
            "content": [{"type": "text", "text": json.dumps(content)}],
            "structuredContent": content,
            "isError": "error" in content,
        }
        return JSONResponse(
            {"jsonrpc": "2.0", "id": message["id"], "result": result},
            headers={"Server-Timing": "total;dur=1.0"},
        )

    def refusal(self) -> Response:
        return JSONResponse(
            {"jsonrpc": "2.0", "id": None, "error": {"code": -31401, "message": "invalid token"}},
            status_code=401,
        )

    def handshake(self, message: dict[str, Any]) -> Response:
        if message["method"] != "initialize":
            return Response(status_code=202)
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {}}
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def call(self, caller: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        operation, _, noun = tool.partition("_")
        operations: dict[str, Callable[[str, str, dict[str, Any]], dict[str, Any]]] = {
            "list": self.list_items,
            "create": self.create,
            "get": self.get,
            "update": self.update,
            "patch": self.patch,
            "delete": self.delete,
        }
        return operations[operation](caller, noun.removesuffix("s"), arguments)

    def list_items(self, caller: str, noun: str, arguments: dict[str, Any]) -> dict[str, Any]:
        mine = [v for (who, _), v in self.items.items() if who == caller and v["noun"] == noun]
        return {"items": [self.shown(item) for item in mine]}

    def create(self, caller: str, noun: str, arguments: dict[str, Any]) -> dict[str, Any]:
        uid = str(uuid.uuid4())
        item = {"uid": uid, "noun": noun, "version": 1, "payload": dict(arguments)}
        self.items[caller, uid] = item
        return self.shown(item)

    def get(self, caller: str, noun: str, arguments: dict[str, Any]) -> dict[str, Any]:
        item = self.items.get((caller, arguments["uid"]))
        if item is None:
            return {"error": {"code": "not_found"}}
        if self.forget:
            item["payload"] = {**item["payload"], "title": "something else"}
        return self.shown(item)

    def update(self, caller: str, noun: str, arguments: dict[str, Any]) -> dict[str, Any]:
        item = self.items[caller, arguments["uid"]]
        item["payload"] = {key: value for key, value in arguments.items() if key != "uid"}
        return self.shown(item)

    def patch(self, caller: str, noun: str, arguments: dict[str, Any]) -> dict[str, Any]:
        item = self.items[caller, arguments["uid"]]
        item["payload"] |= arguments["updates"]
        return self.shown(item)

    def delete(self, caller: str, noun: str, arguments: dict[str, Any]) -> dict[str, Any]:
        item = self.items.pop((caller, arguments["uid"]))
        return {"uid": item["uid"], "version": item["version"], "deletedAt": "now"}

    def shown(self, item: Item) -> dict[str, Any]:
        return {key: item[key] for key in ("uid", "version", "payload")}

    async def report(self, _: Request) -> Response:
        return JSONResponse({"arrivals": self.arrivals, "left": len(self.items)})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--forget", action="store_true")
    parser.add_argument("--refuse-work", action="store_true")
    parser.add_argument("--certificate", help="PEM with key and chain: serve TLS")
    given = parser.parse_args()
    stub = Stub(given.delay_ms / 1000, given.refuse, given.forget, given.refuse_work)
    app = Starlette(
        routes=[
            Route("/mcp", stub.mcp, methods=["POST"]),
            Route("/arrivals", stub.report, methods=["GET"]),
        ]
    )
    # With the protocol named, asyncio sets TCP_NODELAY; otherwise answers take 40 ms at times.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", ssl_certfile=given.certificate)
    )
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
