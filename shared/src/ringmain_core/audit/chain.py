"""The hash chain: every line names the MAC of the line before it, and ends with its own."""

import hmac
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ringmain_core.audit.errors import BadLine
from ringmain_core.audit.keys import AuditKey
from ringmain_core.audit.record import decode, encode

NO_MAC = "0" * 64
_MEMBER = b',"mac":"'
_SEAL_BYTES = len(_MEMBER) + 64 + 2
_HEAD_BYTES = 320


class Tip(NamedTuple):
    """The last record of a chain, and the offset in its file at which it ends; sealed, it is the head."""

    seq: int
    mac: str
    end: int


class Record(NamedTuple):
    """A line whose MAC is right."""

    seq: int
    mac: str
    prev: str
    values: dict[str, Any]

    @property
    def phase(self) -> object:
        return self.values.get("phase")

    @property
    def detail(self) -> dict[str, Any]:
        return self.values.get("detail", {})


class Chain:
    """Where one log stands. `seal` makes the next line, `advance` says that it has been written."""

    __slots__ = ("_second", "_stamp", "key", "mac", "seq")

    def __init__(self, key: AuditKey) -> None:
        self.key = key
        self.seq = 0
        self.mac = NO_MAC
        self._second = -1
        self._stamp = ""

    def seal(self, values: dict[str, Any]) -> tuple[bytes, str]:
        """The line with its newline, and its MAC, which covers the very bytes before `,"mac":"`."""
        key = self.key
        start = f'{{"seq":{self.seq + 1},"time":"{self.now()}",'.encode()
        body = start + encode(values)[1:-1] + f',"kid":"{key.kid}","prev":"{self.mac}"'.encode()
        mac = key.mac_of_record(body)
        return b'%b,"mac":"%b"}\n' % (body, mac.encode()), mac

    def advance(self, mac: str) -> None:
        self.seq += 1
        self.mac = mac

    def now(self) -> str:
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{nanoseconds // 1_000_000:03d}Z"


def sealed_mac(line: bytes) -> str | None:
    """The MAC that ends a line (without its newline), right or wrong; None if the line ends otherwise."""
    seal = line[-_SEAL_BYTES:]
    if len(seal) == _SEAL_BYTES and seal.startswith(_MEMBER) and seal.endswith(b'"}'):
        return seal[len(_MEMBER) : -2].decode("latin-1")
    return None


def read_record(line: bytes, keys: Mapping[str, AuditKey]) -> Record:
    """The record in a line (without its newline). Raises `BadLine`."""
    values, body, key = _open(line, keys)
    mac = key.mac_of_record(body)
    if not _same(mac, values["mac"]):
        raise BadLine("its MAC does not match its content")
    seq, prev = values.get("seq"), values.get("prev")
    if not isinstance(seq, int) or not isinstance(prev, str):
        raise BadLine("it has no `seq` or no `prev`")
    return Record(seq, mac, prev, values)


def seal_head(tip: Tip, key: AuditKey) -> bytes:
    """The head: one line of constant length, so that it can be overwritten in place by one write."""
    body = f'{{"seq":{tip.seq},"record":"{tip.mac}","end":{tip.end},"kid":"{key.kid}"'.encode()
    return (body + _MEMBER + key.mac_of_head(body).encode() + b'"}').ljust(_HEAD_BYTES - 1) + b"\n"


def read_head(data: bytes, keys: Mapping[str, AuditKey]) -> Tip:
    """Raises `BadLine` for a head that is not genuine."""
    values, body, key = _open(data.rstrip(), keys)
    if not _same(key.mac_of_head(body), values["mac"]):
        raise BadLine("its MAC does not match its content")
    return Tip(values["seq"], values["record"], values["end"])


def _same(mac: str, claimed: object) -> bool:
    return hmac.compare_digest(mac.encode(), str(claimed).encode("utf-8", "replace"))


def _open(line: bytes, keys: Mapping[str, AuditKey]) -> tuple[dict[str, Any], bytes, AuditKey]:
    if sealed_mac(line) is None:
        raise BadLine("it does not end with a MAC")
    try:
        values = decode(line)
    except ValueError as error:
        raise BadLine(f"it is not valid JSON ({error})") from None
    key = keys.get(str(values.get("kid")))
    if key is None:
        raise BadLine(f"it names the key {values.get('kid')!r}, which was not given")
    return values, line[:-_SEAL_BYTES], key
