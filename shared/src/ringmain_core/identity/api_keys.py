"""API keys: made once, shown once, stored as hashes, compared in constant time."""

import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from ringmain_core.audit import AuditUnavailable
from ringmain_core.audit.files import held
from ringmain_core.errors import ConfigurationError
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal

_PREFIX = "rm"
_NO_KEYS: Mapping[str, "StoredKey"] = {}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept: enough to recognise it, not enough to use it."""

    id: str
    agent: str
    hash: str
    created: str


def hash_key(key: str) -> str:
    """The form in which keys are stored: a plain SHA-256, for 256 random bits cannot be guessed."""
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


class KeyFile:
    """The keys made by `keys create`: a JSON file of mode 0600 that running servers notice changing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str, StoredKey] = {}

    def keys(self) -> Mapping[str, StoredKey]:
        """Every stored key by its id; read again only where the file has changed."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._keys, self._stamp = self._keys and {}, None
            return self._keys
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be read: {error.strerror}") from error
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._keys = self._read()
            self._stamp = stamp
        return self._keys

    def create(self, agent: str) -> tuple[str, StoredKey]:
        """Make a key for an agent; the key itself is returned this once and kept nowhere."""
        key_id = secrets.token_hex(4)
        key = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
        created = datetime.now(UTC).isoformat(timespec="seconds")
        stored = StoredKey(key_id, agent, hash_key(key), created)
        with self._locked():
            self._write({**self._fresh(), key_id: stored})
        return key, stored

    def revoke(self, key_id: str) -> StoredKey | None:
        """Forget a key; servers refuse it from their next request on."""
        with self._locked():
            keys = self._fresh()
            revoked = keys.pop(key_id, None)
            if revoked is not None:
                self._write(keys)
        return revoked

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Keep other processes from writing: a `create` meanwhile must not bring a revoked key back."""
        try:
            with held(self.path.with_name(f"{self.path.name}.lock")):
                yield
        except AuditUnavailable:
            raise ConfigurationError(f"{self.path}: another process keeps it locked; try again") from None
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be written: {error.strerror}") from error

    def _fresh(self) -> dict[str, StoredKey]:
        self._stamp = None
        return dict(self.keys())

    def _read(self) -> dict[str, StoredKey]:
        try:
            with self.path.open(encoding="utf-8") as file:
                if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o022:
                    raise ConfigurationError(f"{self.path}: others may write it: run `chmod 600` on it")
                data = cast("list[dict[str, Any]]", json.load(file)["keys"])
            keys = [StoredKey(**entry) for entry in data]
            if not all(isinstance(value, str) for key in keys for value in asdict(key).values()):
                raise TypeError  # noqa: TRY301 (one complaint for every malformed file)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ConfigurationError(f"{self.path}: not a key file ({type(error).__name__})") from error
        return {key.id: key for key in keys}

    def _write(self, keys: Mapping[str, StoredKey]) -> None:
        text = json.dumps({"keys": [asdict(key) for key in keys.values()]}, indent=2) + "\n"
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._stamp = None


class ApiKeys:
    """Recognises API keys: those in the key file, and those whose hashes the policy file holds."""

    def __init__(self, key_file: KeyFile) -> None:
        self._key_file = key_file
        self._recognised: dict[bytes, tuple[Principal, Policy, Mapping[str, StoredKey]]] = {}

    def is_empty(self, policy: Policy) -> bool:
        """Whether nobody could authenticate."""
        stored = {key.agent for key in self._key_file.keys().values()}
        return not any(agent.key or agent.id in stored for agent in policy.agents.values())

    def recognise(self, credential: str, policy: Policy) -> Principal | None:
        """Whose key this is; `None` where it is nobody's, or its agent is not in the policy any more."""
        stored_keys = self._stored() if credential.startswith(f"{_PREFIX}_") else _NO_KEYS
        digest = hashlib.sha256(credential.encode()).digest()
        known = self._recognised.get(digest)
        if known is not None and known[1] is policy and known[2] is stored_keys:
            return known[0]
        principal = self._compare(credential, policy, stored_keys)
        if principal is None:
            self._recognised.pop(digest, None)
        else:
            self._recognised[digest] = (principal, policy, stored_keys)
        return principal

    def _compare(
        self, credential: str, policy: Policy, stored_keys: Mapping[str, StoredKey]
    ) -> Principal | None:
        presented = hash_key(credential)
        agent: str | None = None
        parts = credential.split("_", 2)
        if len(parts) == 3 and parts[0] == _PREFIX:
            stored = stored_keys.get(parts[1])
            if stored is not None and hmac.compare_digest(stored.hash.encode(), presented.encode()):
                agent = stored.agent
        for known in policy.agents.values():
            if known.key is not None and hmac.compare_digest(known.key, presented):
                agent = known.id
        if agent is None or agent not in policy.agents:
            return None
        return Principal(agent, "api_key")

    def _stored(self) -> Mapping[str, StoredKey]:
        try:
            return self._key_file.keys()
        except ConfigurationError as error:
            _log.error("no stored key is accepted: %s", error)
            return _NO_KEYS
