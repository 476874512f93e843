"""Who may do what: decisions that can be explained by a line of the policy file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, Field

from ringmain_core.identity.issuers import Issuer
from ringmain_core.limits import STRICT, Limits
from ringmain_core.principal import Principal
from ringmain_core.secrets.agent_keys import agent_key
from ringmain_core.versions import Lifetime, Version

Access = Literal["read", "write", "destructive"]

_MOST_CLAIMANTS, _MOST_GRANTS = 10_000, 50_000
_TABLE = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")


DEFAULT_CONFIRM = ("*:destructive",)


class _Strict(BaseModel):
    model_config = STRICT


class Role(_Strict):
    """A set of permissions; `deny` wins over every `allow`, also over another role's.

    Attributes:
        confirm: What a person has to confirm, in entries like those of `allow`; `[]` waives it.
        flow: Whether a person has to confirm what goes to a wider audience than what was read before.
    """

    allow: list[str] = []
    deny: list[str] = []
    fence: dict[str, list[str]] = {}
    limits: Limits | None = None
    confirm: list[str] = [*DEFAULT_CONFIRM]
    flow: Literal["ask", "off"] = "ask"


class Agent(_Strict):
    """A caller known by name; its key is here or among those made by `keys create`.

    With the name `<issuer>/<sub>` it adds to what a token of that subject gets by its claims.
    """

    id: str = Field(min_length=1)
    key: Annotated[str | None, BeforeValidator(agent_key), Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None
    roles: list[str] = []
    limits: Limits | None = None


class PolicyFile(_Strict):
    """The policy file's shape."""

    roles: dict[str, Role] = {}
    agents: list[Agent] = []
    issuers: list[Issuer] = []
    limits: dict[str, Limits] = {}
    versions: dict[Version, Lifetime] = {}


@dataclass(frozen=True, slots=True)
class Fence:
    """The objects of one kind that a caller may touch; `None` means all of them."""

    patterns: tuple[str, ...] | None = None

    def admits(self, name: str) -> bool:
        """Whether an object, by its resolved name, is inside."""
        return self.patterns is None or any(fnmatchcase(name, pattern) for pattern in self.patterns)

    def describe(self) -> str:
        """The fence in words, for an error text."""
        return "everything" if self.patterns is None else ", ".join(self.patterns) or "nothing"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a caller gets for one declaration: whether, why, and within which fences.

    Attributes:
        because: The line of policy that decided, for people.
        fences: One mapping of kind to patterns for each role that allows; `None` stands for a role without.
        confirm: Whether a person has to say yes first: any role that allows the call can ask for it.
        confirm_destructive: The same, for calls of a tool that mostly is not destructive, where they are.
        flow: Whether a person has to say yes before something goes to a wider audience; the same holds.
    """

    allowed: bool
    because: str
    fences: tuple[Mapping[str, Sequence[str]], ...] = ()
    confirm: bool = False
    confirm_destructive: bool = True
    flow: bool = True

    def fence(self, kind: str) -> Fence:
        """The fence around a kind of object: as wide as the widest role that allows the call."""
        patterns: list[str] = []
        for fences in self.fences:
            if kind not in fences:
                return Fence()
            patterns += fences[kind]
        return Fence(tuple(patterns)) if self.fences else Fence()


EVERYTHING = Grant(allowed=True, because="no policy applies")


class Policy:
    """Decisions from one reading of the policy file.

    Entries of `allow` and `deny` are `<connector>:<access>` or `<connector>.<name>`, with `*` for any part.
    """

    def __init__(self, content: PolicyFile, *, source: str = "policy", text: str = "") -> None:
        self.content = content
        self._source = source
        self.text = text
        self._agents = {agent.id: agent for agent in content.agents}
        self._issuers = {issuer.issuer: issuer for issuer in content.issuers}
        self._issuers_by_name = {issuer.name: issuer for issuer in content.issuers}
        self._claimed: dict[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {}
        self._grants: dict[tuple[tuple[str, ...], str, str, Access], Grant] = {}

    @property
    def agents(self) -> Mapping[str, Agent]:
        return self._agents

    @property
    def issuers(self) -> Mapping[str, Issuer]:
        """The issuers by their addresses."""
        return self._issuers

    def issuer_of(self, principal: Principal) -> Issuer | None:
        """Whose token a caller has; `None` for one without a token, or whose issuer is not there any more."""
        if principal.auth != "jwt":
            return None
        return self._issuers_by_name.get(principal.id.partition("/")[0])

    def roles_of(self, principal: Principal) -> Sequence[str] | None:
        """The names of a caller's roles; `None` for a caller that the policy does not know."""
        if principal.auth == "jwt":
            return self._roles_by_claims(principal)
        agent = self._agents.get(principal.id)
        return None if agent is None else agent.roles

    def _roles_by_claims(self, principal: Principal) -> Sequence[str] | None:
        claimed = self._claimed.get(principal.id)
        if claimed is not None and claimed[0] is principal.claims:
            return claimed[1]
        issuer = self.issuer_of(principal)
        if issuer is None:
            return None
        agent = self._agents.get(principal.id)
        named = agent.roles if agent is not None else []
        roles = tuple(dict.fromkeys((*issuer.roles_of(principal.claims), *named)))
        if len(self._claimed) >= _MOST_CLAIMANTS:
            self._claimed.clear()  # whoever still calls is in again with the next call
        self._claimed[principal.id] = (principal.claims, roles)
        return roles

    def grant(self, principal: Principal, connector: str, name: str, access: Access) -> Grant:
        """Whether a caller may use one declaration of a connector, and why."""
        roles = self.roles_of(principal)
        if roles is None:
            return Grant(allowed=False, because=f"{self._source} has no agent {principal.id!r}")
        # As many as combinations of roles and declarations; a policy read again starts anew.
        asked = (tuple(roles), connector, name, access)
        if asked not in self._grants:
            if len(self._grants) >= _MOST_GRANTS:
                self._grants.clear()
            self._grants[asked] = self._decide(roles, connector, name, access)
        return self._grants[asked]

    def _decide(self, roles: Sequence[str], connector: str, name: str, access: Access) -> Grant:
        allowed: list[tuple[str, Role]] = []
        for role_name in roles:
            role = self.content.roles[role_name]
            for index, entry in enumerate(role.deny):
                if _entry_matches(entry, connector, name, access):
                    because = self._cite(("roles", role_name, "deny", index), entry)
                    return Grant(allowed=False, because=because)
            for index, entry in enumerate(role.allow):
                if _entry_matches(entry, connector, name, access):
                    allowed.append((self._cite(("roles", role_name, "allow", index), entry), role))
                    break
        if not allowed:
            because = f"no role allows it (the agent's roles: {', '.join(roles) or 'none'})"
            return Grant(allowed=False, because=because)
        because = "; ".join(cited for cited, _ in allowed)
        return Grant(
            allowed=True,
            because=because,
            fences=tuple(role.fence for _, role in allowed),
            confirm=any(
                _entry_matches(entry, connector, name, access)
                for _, role in allowed
                for entry in role.confirm
            ),
            confirm_destructive=any(
                _entry_matches(entry, connector, name, "destructive")
                for _, role in allowed
                for entry in role.confirm
            ),
            flow=any(role.flow == "ask" for _, role in allowed),
        )

    def agent_limits(self, principal: Principal) -> Limits:
        """How much an agent may call in all.

        Its own limits say, else its most generous role's, else its issuer's, else the default.
        """
        agent = self._agents.get(principal.id)
        if agent is not None and agent.limits is not None:
            return agent.limits
        roles = [self.content.roles[name] for name in self.roles_of(principal) or ()]
        of_roles = [role.limits for role in roles if role.limits is not None]
        if of_roles:
            return max(of_roles, key=lambda limits: limits.rate)
        issuer = self.issuer_of(principal)
        if issuer is not None and issuer.limits is not None:
            return issuer.limits
        return self.content.limits.get("*", DEFAULT_LIMITS)

    def lifetime(self, version: str) -> Lifetime | None:
        """How long a version of the API lives; `None` where nothing is said about it."""
        return self.content.versions.get(cast("Version", version))

    def tool_limits(self, connector: str, name: str) -> Limits | None:
        """How much each agent may call one tool; `None` where nothing is said about it."""
        return self.content.limits.get(f"{connector}.{name}")

    def _cite(self, path: tuple[str | int, ...], entry: str) -> str:
        keys = ".".join(str(part) for part in path if isinstance(part, str))
        line = locate(self.text, path)
        return f"{self._source}{f':{line}' if line else ''}: {keys} has {entry!r}"


DEFAULT_LIMITS = Limits()


def _entry_matches(entry: str, connector: str, name: str, access: Access) -> bool:
    if ":" in entry:
        of_connector, _, of_access = entry.partition(":")
        return fnmatchcase(connector, of_connector) and fnmatchcase(access, of_access)
    of_connector, _, of_name = entry.partition(".")
    return fnmatchcase(connector, of_connector) and fnmatchcase(name, of_name)


def open_to(*agents: str) -> Policy:
    """The policy where no file is set: the named agents may use everything."""
    everything = Role(allow=["*:*"])
    known = [Agent(id=agent, roles=["everything"]) for agent in agents]
    return Policy(PolicyFile(roles={"everything": everything}, agents=known), source="the default policy")


def locate(text: str, location: tuple[str | int, ...]) -> int | None:
    """The line (from 1) of a TOML text where a key path is set, as well as can be told without a parser."""
    lines = text.split("\n")
    tables = {at: _bare(match[1]) for at, line in enumerate(lines) if (match := _TABLE.fullmatch(line))}
    keys = [part for part in location if isinstance(part, str)]
    nth = next((part for part in location if isinstance(part, int)), 0)
    for depth in range(len(keys), -1, -1):
        wanted = _bare(".".join(keys[:depth]))
        starts = [at for at, table in tables.items() if table == wanted] if depth else [-1]
        if depth == len(keys):
            starts = starts or [at for at, table in tables.items() if table.startswith(f"{wanted}.")]
        if not starts:
            continue
        repeated = lines[starts[0]].lstrip().startswith("[[") and nth < len(starts)
        start = starts[nth if repeated else 0]
        end = next((at for at in tables if at > start), len(lines))
        for at in range(start + 1, end):
            key = _bare(lines[at].partition("=")[0])
            if depth < len(keys) and f"{key}.".startswith(f"{_bare(keys[depth])}."):
                return at + 1
        if depth:
            return start + 1
    return None


def _bare(key: str) -> str:
    """A dotted key without the quotes and spaces that TOML allows in it."""
    return re.sub(r"[\s\"']", "", key)
