"""A small connector that the core is tested with; run as a program, it is its command."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ringmain_core.arguments import OnRecord, Upstream, withheld
from ringmain_core.call import Call
from ringmain_core.connector import Check, Connector
from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.results import Answer
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.tooling import prompt, resource, tool

ROW = "row-4711-of-a-customer"


class DemoSettings(ConnectorSettings):
    model_config = SettingsConfigDict(env_prefix="RINGMAIN_DEMO_")

    dsn: Annotated[SecretStr | None, Field(min_length=8, description="Where the demo is.")] = None


class Demo(Upstream):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.started = anyio.Event()
        self.ended = anyio.Event()
        self.go_on = anyio.Event()
        self.reachable = True
        self.asked = 0


class Page(Answer):
    words: list[str]
    next_cursor: str | None = None


class Filter(BaseModel, extra="forbid"):
    name: str
    limit: int = 10


@tool(access="read", title="Hang")
async def hang() -> str:
    """Leave a thread behind that takes a minute, as for the look-up of a name."""
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
    return "it hangs"


@tool(access="read", title="Echo")
async def echo(
    text: Annotated[str, Field(description="What to say.")],
    times: Annotated[int, Field(ge=1, le=100_000)] = 1,
    secret: Annotated[str, OnRecord(withheld)] = "",
    picky: Annotated[str, OnRecord(str.upper)] = "",
) -> str:
    """Say it again."""
    return f"{text}{secret}{picky}" * times


@tool(access="read", title="Words")
async def words(
    count: int, tags: list[str] | None = None, where: Filter | None = None, share: float = 0.5
) -> Page:
    """Make words."""
    tags = tags or [where.name if where else "word"]
    return Page(words=[f"{tag}{share:g}" for tag in tags] * count)


@tool(access="read", title="Who")
async def who(call: Call) -> str:
    """Say who calls."""
    await anyio.lowlevel.checkpoint()
    return call.principal.id


@tool(access="read", title="Count", since="v2")
async def count(limit: Annotated[int, Field(description="How far.")]) -> str:
    """Count from one."""
    return ", ".join(str(number) for number in range(1, limit + 1))


@tool(access="read", title="Count", name="count", until="v1")
async def count_v1(n: Annotated[int, Field(description="How far.")]) -> str:
    """Count from one."""
    return await count.function(n)


@tool(access="write", title="Note")
async def note(demo: Demo, text: str) -> str:
    """Keep a note."""
    demo.notes.append(text)
    return "kept"


@tool(access="destructive", title="Wipe", idempotent=False)
async def wipe(demo: Demo) -> str:
    """Forget all notes."""
    demo.notes.clear()
    return "gone"


async def _wait(demo: Demo) -> str:
    demo.started.set()
    try:
        await demo.go_on.wait()
    finally:
        demo.ended.set()
    return "waited"


@tool(access="read", title="Wait")
async def wait(demo: Demo) -> str:
    """Wait until told."""
    return await _wait(demo)


@tool(access="read", title="Hurry", timeout=0.02)
async def hurry(demo: Demo) -> str:
    """Wait, but not for long."""
    return await _wait(demo)


@tool(access="write", title="Hurried write", timeout=0.02)
async def hurry_write(demo: Demo) -> str:
    """Write, but not for long."""
    return await _wait(demo)


@tool(access="write", title="Write and wait")
async def wait_write(demo: Demo) -> str:
    """Write, and wait until told."""
    return await _wait(demo)


@tool(access="read", title="Crash")
async def crash() -> str:
    """Fail in a way that nobody planned for."""
    raise LookupError(ROW)


@tool(access="read", title="Refuse")
async def refuse() -> str:
    """Fail as planned."""
    raise UpstreamRefused("No such column.", column="colour")


@tool(access="read", title="Broken answer")
async def broken() -> Any:
    """Return what no tool may return."""
    return 5


@tool(access="read", title="Half a character")
async def half() -> str:
    """Return what no encoder takes."""
    return "half \ud83d"


@tool(access="read", title="Chatty")
async def chatty() -> str:
    """Print, as libraries do."""
    print("a stray print")  # noqa: T201
    os.write(1, b"a stray write\n")
    return "said"


@resource("demo://about", title="About")
async def about() -> str:
    """What this is."""
    return "a demo"


async def _ids(_: Any, __: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    if typed == "crash":
        raise LookupError(ROW)
    return [f"{typed}{number}" for number in range(len(chosen) + 120)]


@resource("demo://item/{item}", title="Item", complete={"item": _ids})
async def item(item: str) -> str:
    """One item."""
    if item == "none":
        raise NotFound("No such item.")
    if item == "crash":
        raise LookupError(ROW)
    return f"item {item}"


@resource("demo://hidden/{key}", title="Hidden", complete={"key": _ids})
async def vault(key: str) -> str:
    """Not for everybody."""
    return key


@prompt(title="Greet", complete={"name": _ids})
async def greet(name: str) -> str:
    """Greet somebody."""
    return f"Greet {name}."


@prompt(title="Conspire")
async def conspire() -> str:
    """Not for everybody."""
    return "Psst."


@asynccontextmanager
async def _connect(_: DemoSettings, __: Services) -> AsyncGenerator[Demo]:
    yield Demo()


async def _ready(demo: Demo) -> None:
    demo.asked += 1
    if not demo.reachable:
        raise ConnectionError(ROW)


async def _diagnose(_: Demo) -> AsyncIterator[Check]:
    yield Check("demo", "ok", "reachable")


class DemoConnector(Connector[DemoSettings, Demo]):
    @property
    def version(self) -> str:
        return "1.2.3"


connector = DemoConnector(
    name="demo",
    fences=("item",),
    title="Demo",
    instructions="Try it.",
    settings=DemoSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(
        echo,
        words,
        who,
        count,
        count_v1,
        note,
        wipe,
        wait,
        hurry,
        hurry_write,
        wait_write,
        crash,
        hang,
        refuse,
        broken,
        half,
        chatty,
    ),
    resources=(about, item, vault),
    prompts=(greet, conspire),
)

if __name__ == "__main__":
    from ringmain_core.cli import run

    sys.exit(run(connector))
