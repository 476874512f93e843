"""Many calls over few connections, each answer held against what was asked."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from security.wire import Caller


@dataclass
class Flood:
    """Two tools in turn: one says who calls, the other repeats a text that no other call has.

    Attributes:
        crossed: Answers that were not for the call that got them: id, expected and said.
        answered: How many answers came.
    """

    crossed: list[tuple[int, str, Any]] = field(default_factory=list[tuple[int, str, Any]])
    answered: int = 0

    async def call(self, caller: Caller, name: str, ids: range) -> None:
        """One call after the other on one connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.port)
        for id_ in ids:
            text = f"{name}-{id_}"
            tool, arguments, expected = ("who", {}, name) if id_ % 2 else ("echo", {"text": text}, text)
            params = {"name": tool, "arguments": arguments}
            body = json.dumps(caller.message("tools/call", params, id_)).encode()
            headers = [*caller.headers("tools/call", params), ("Content-Length", str(len(body)))]
            head = "".join(f"{header}: {value}\r\n" for header, value in headers)
            writer.write(f"POST {caller.path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            said = await _answer(reader)
            self.answered += 1
            if said.get("id") != id_ or said.get("result", {}).get("content") != [
                {"type": "text", "text": expected}
            ]:
                self.crossed.append((id_, expected, said))
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> Any:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    if b"transfer-encoding: chunked" in head:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
    if b"text/event-stream" in head:
        body = [line for line in body.splitlines() if line.startswith(b"data: {")][-1][6:]
    return json.loads(body)
