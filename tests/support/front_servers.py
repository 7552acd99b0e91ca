"""What stands behind the fronts in their tests: it keeps the requests it got, and answers."""

from asyncio import StreamReader, StreamWriter

from toolbridge_harness.fronts.listener import Listener
from toolbridge_harness.fronts.relaying import request_head

HEALTHY = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"ok"}]}}'


class Backend(Listener):
    """Answers every request with the same status, headers and body; `heads` are the requests'."""

    def __init__(self, body: str = HEALTHY, status: int = 200, headers: str = "") -> None:
        super().__init__(self._reply)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self._answer = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    async def _reply(self, reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            head = (await request_head(reader)).decode("latin-1")
            _, _, length = head.lower().partition("content-length: ")
            self.bodies.append(await reader.readexactly(int(length.split("\r\n")[0] or 0)))
            self.heads.append(head)
            writer.write(self._answer.encode())
            await writer.drain()

    def header(self, name: str) -> list[str]:
        """Return the values of a header in the last request."""
        lines = [line.partition(": ") for line in self.heads[-1].split("\r\n")[1:]]
        return [value for key, _, value in lines if key.lower() == name.lower()]
