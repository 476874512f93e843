"""Two servers that stand for one: behind a balancer, on one Valkey and one Postgres that can be stopped."""

import asyncio
import importlib
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ledger import TABLE
from bench.round_robin import round_robin
from bench.setting import environment_with
from ringmain_core.identity.api_keys import hash_key
from standins.postgres import running_postgres, url_of
from standins.valkey import Valkey, running_valkey

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

LEDGER = [sys.executable, "-m", "bench.ledger"]
POSTGRES = [str(Path(sys.executable).with_name("ringmain-postgres"))]
KEY, SLOW_KEY = "key-of-the-busy-agent", "key-of-the-slow-agent"
RATE, BURST = 20, 20
STOPS_WITHIN = 25.0

_STARTS_WITHIN = 60.0
_POLICY = f"""
[roles.all]
allow = ["*:*"]
confirm = ["*:destructive"]
limits = {{ rate = "100000/s", burst = 100000, concurrency = 1000 }}

[[agents]]
id = "busy"
key = "{hash_key(KEY)}"
roles = ["all"]

[[agents]]
id = "slow"
key = "{hash_key(SLOW_KEY)}"
roles = ["all"]
limits = {{ rate = "{RATE}/s", burst = {BURST}, concurrency = 1000 }}
"""


class Replica:
    """A server process that keeps its port and its state folder over restarts.

    Attributes:
        log: What it wrote to stderr so far, in JSON lines.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.port = 0
        self.log: list[str] = []
        self._command = command
        self._environment = {**environment, "RINGMAIN_STATE_DIR": str(folder)}
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def audit_files(self) -> list[Path]:
        return sorted(self._folder.glob("*/audit.jsonl"))

    @property
    def key_file(self) -> Path:
        return self._folder / "audit.key"

    @property
    def errors(self) -> list[str]:
        """What it logged as an error."""
        return [line for line in self.log if '"level":"error"' in line.replace(" ", "")]

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start, and wait until it takes connections."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            *("serve", "--port", str(self.port)),
            env=environment_with(self._environment),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        listening = asyncio.Event()
        self._reading = asyncio.create_task(self._read(self._process, listening))
        async with asyncio.timeout(_STARTS_WITHIN):
            await listening.wait()
        if self._process.returncode is not None:
            raise RuntimeError(f"{self._command[-1]} did not start:\n{''.join(self.log)}")

    def tell(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)

    async def ended(self) -> int:
        """Wait until it is gone; its exit status. One that takes longer than it may is killed."""
        assert self._process is not None
        assert self._reading is not None
        try:
            async with asyncio.timeout(STOPS_WITHIN):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            raise
        finally:
            await self._reading
        return await self._process.wait()

    async def stop(self) -> None:
        """End it in order, if it runs."""
        if self.runs:
            self.tell(signal.SIGTERM)
            await self.ended()

    async def _read(self, process: asyncio.subprocess.Process, listening: asyncio.Event) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            line = raw.decode()
            if line.startswith("http://"):
                self.port = int(line.split(":")[2].split("/")[0])
                listening.set()
            else:
                self.log.append(line)
        listening.set()


@dataclass(frozen=True)
class Fleet:
    """Replicas of one connector.

    Attributes:
        port: The balancer's.
    """

    replicas: Sequence[Replica]
    port: int

    async def mend(self) -> None:
        """Start those that do not run."""
        await asyncio.gather(*(replica.start() for replica in self.replicas if not replica.runs))

    async def restarted(self, replica: Replica, how: signal.Signals) -> float:
        """End a replica and start it again; the seconds that its end took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        replica.tell(how)
        await replica.ended()
        took = loop.time() - began
        await replica.start()
        return took


class Database:
    """A Postgres with the ledger's table, which can be stopped and started again under its address."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = url_of(server)

    async def execute(self, sql: str) -> None:
        connection: Any = await asyncpg.connect(self.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def copies(self) -> dict[str, int]:
        """How often each entry is there."""
        connection: Any = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch("SELECT name, count(*) AS copies FROM entries GROUP BY name")
        finally:
            await connection.close()
        return {row["name"]: row["copies"] for row in rows}

    async def stop(self) -> None:
        """Stop; whoever is connected is cut off."""
        await asyncio.to_thread(self._server.stop)

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        with self._server._lock:
            self._server.ensure_postgres_running()


@dataclass(frozen=True)
class Town:
    """What the replicas of all connectors share."""

    folder: Path
    valkey: Valkey
    database: Database
    environment: Mapping[str, str]

    @asynccontextmanager
    async def fleet(self, command: Sequence[str], size: int = 2) -> AsyncGenerator[Fleet]:
        """Start replicas; each has a state folder of its own, as on machines of their own."""
        name = Path(command[-1]).name
        replicas = [
            Replica(command, self.environment, self.folder / f"{name}-{number}") for number in range(size)
        ]
        async with AsyncExitStack() as stack:
            for replica in replicas:
                stack.push_async_callback(replica.stop)
            await asyncio.gather(*(replica.start() for replica in replicas))
            port = await stack.enter_async_context(round_robin([replica.port for replica in replicas]))
            yield Fleet(replicas, port)


@contextmanager
def town(folder: Path) -> Generator[Town]:
    """Valkey, Postgres, a policy and a secret key."""
    policy = folder / "policy.toml"
    policy.write_text(_POLICY, encoding="utf-8")
    with running_valkey() as valkey, running_postgres() as server:
        database = Database(server)
        asyncio.run(database.execute(TABLE))
        yield Town(
            folder,
            valkey,
            database,
            {
                "RINGMAIN_POLICY": str(policy),
                "RINGMAIN_REDIS_URL": valkey.url,
                "RINGMAIN_SECRET_KEY": "a-secret-key-of-more-than-32-characters",
                "RINGMAIN_AUDIT": "file",
                "RINGMAIN_LOG_LEVEL": "warning",
                "RINGMAIN_LEDGER_URL": database.url,
                "RINGMAIN_POSTGRES_URL": database.url,
            },
        )
