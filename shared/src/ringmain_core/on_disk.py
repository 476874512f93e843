"""What a process finds on disk: the policy in force, the keys, the audit log. Nothing here needs the SDK."""

import hashlib
import ipaddress
import logging
import os
import secrets
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from ringmain_core.audit import AuditKey, AuditLog, load_or_create_key
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.api_keys import KeyFile
from ringmain_core.key_file import load_or_create
from ringmain_core.policy import Policy, open_to
from ringmain_core.policy_file import load_policy, parse_policy
from ringmain_core.principal import LOCAL
from ringmain_core.sealing import KeyRing
from ringmain_core.secrets import Secrets
from ringmain_core.settings import CoreSettings
from ringmain_core.state import State
from ringmain_core.state.local import LocalState

_LEAST_SECRET_BYTES = 32
_SHOWN_OF_DIGEST = 12
_log = logging.getLogger(__name__)


class PolicyStore:
    """The policy in force; a reading that fails leaves it as it is."""

    def __init__(self, connector: AnyConnector, path: Path | None, refer_to: Secrets | None = None) -> None:
        self._connector = connector
        self._secrets = refer_to or Secrets()
        self.path = path
        self.current = self._read()

    def reload(self) -> None:
        """Read the file again; where it cannot be used, say so and keep the policy in force."""
        if self.path is None:
            _log.warning("no policy to read again: RINGMAIN_POLICY is not set")
            return
        before = self.current
        try:
            self.current = self._read()
        except ConfigurationError as error:
            _log.error("policy not reloaded, the old one stays: %s", error)
            return
        outcome = "unchanged in" if self.current.text == before.text else "reloaded from"
        digest = hashlib.sha256(self.current.text.encode()).hexdigest()[:_SHOWN_OF_DIGEST]
        _log.warning("policy %s %s, sha256 %s", outcome, self.path, digest)

    def keys_changed(self) -> None:
        """Take the newest keys where the policy refers to them. The file is not read again."""
        if self.path is None:
            return
        try:
            with self._secrets.reading():
                self.current = parse_policy(self.current.text, str(self.path), self._connector.vocabulary())
        except ConfigurationError as error:
            _log.error("an agent's new key cannot be used, the old one stays: %s", error)

    def _read(self) -> Policy:
        if self.path is None:
            return open_to(LOCAL.id)
        with self._secrets.reading():
            return load_policy(self.path, self._connector.vocabulary())


def key_file(core: CoreSettings) -> KeyFile:
    """The keys of all connectors that share a state folder."""
    return KeyFile(core.state_dir / "keys.json")


def audit_path(connector: AnyConnector, core: CoreSettings) -> Path:
    """The file that the audit goes to, unless it goes to a stream or nowhere."""
    return core.state_dir / connector.name / "audit.jsonl" if core.audit == "file" else Path(core.audit)


def audit_key(core: CoreSettings) -> AuditKey:
    """The key of the audit's MAC: from the settings, or kept in the state folder."""
    if core.audit_key is not None:
        return AuditKey(core.audit_key.get_secret_value().encode())
    return load_or_create_key(core.state_dir / "audit.key")


def key_ring(core: CoreSettings) -> KeyRing:
    """The keys that seal what is kept or handed out: from the settings, or kept in the state folder.

    Raises:
        ConfigurationError: Where they cannot be used, or where replicas could not know each other's.
    """
    if core.secret_key is not None:
        keys = [key.strip().encode() for key in core.secret_key.get_secret_value().split(",")]
        if any(len(key) < _LEAST_SECRET_BYTES for key in keys):
            raise ConfigurationError(
                "RINGMAIN_SECRET_KEY: each of its comma-separated keys needs at least "
                f"{_LEAST_SECRET_BYTES} characters. `openssl rand -base64 32` prints one."
            )
        return KeyRing(keys)
    if core.redis_url is not None:
        raise ConfigurationError(
            "RINGMAIN_REDIS_URL means replicas, and they have to open what another one sealed: give all of "
            "them the same RINGMAIN_SECRET_KEY. `openssl rand -base64 32` prints one."
        )
    path = core.state_dir / "secret.key"
    try:
        return KeyRing([load_or_create(path)])
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    except OSError as error:
        if os.path.lexists(path):
            raise ConfigurationError(f"The key {path} cannot be read: {error.strerror}.") from error
        _log.warning(
            "%s cannot be made (%s): cursors and kept results are valid until this process ends. "
            "Set RINGMAIN_SECRET_KEY or RINGMAIN_STATE_DIR.",
            path,
            error.strerror,
        )
        return KeyRing([secrets.token_bytes(_LEAST_SECRET_BYTES)])


@asynccontextmanager
async def opened_state(connector: AnyConnector, core: CoreSettings) -> AsyncGenerator[State]:
    """What the replicas of a server agree on, where they share a Redis; otherwise a state of this process."""
    if core.redis_url is None:
        state: State = LocalState(core.state_dir / connector.name / "state.sqlite")
    else:
        try:
            from ringmain_core.state.redis import RedisState
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "redis":
                raise
            raise ConfigurationError(
                "RINGMAIN_REDIS_URL needs the Redis library: pip install 'ringmain-core[redis]'."
            ) from error
        state = await RedisState.open(core.redis_url, connector.name)
    try:
        yield state
    finally:
        await state.close()


@contextmanager
def opened_audit(connector: AnyConnector, core: CoreSettings) -> Generator[AuditLog]:
    """The audit log, closed and synced at the end."""
    if core.audit == "off":
        log = AuditLog.none()
    elif core.audit in ("stdout", "stderr"):
        log = AuditLog.on_stream("stdout" if core.audit == "stdout" else "stderr", audit_key(core))
    else:
        core.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = AuditLog.open(audit_path(connector, core), audit_key(core))
    with log:
        yield log


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can connect to an address."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) is not None  # Python 3.13 and earlier ones disagree
    return address.is_loopback and not mapped
