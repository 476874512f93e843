from pathlib import Path

import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.limits import Limits
from ringmain_core.on_disk import PolicyStore
from ringmain_core.policy import Access, Fence, Policy, locate, open_to
from ringmain_core.policy_file import Vocabulary, load_policy, parse_policy
from ringmain_core.principal import Principal
from unit.core.demo import connector

NAMES = {declaration.name for declaration in connector.declarations()}

POLICY = """\
[roles.reader]
allow = ["*:read"]
fence = { "demo.item" = ["a-*"] }

[roles.writer]
allow = [
  "demo:write",
  "demo.echo",
]
limits = { rate = "2/s", burst = 3, concurrency = 4 }

[roles.careful]
deny = ["demo.wipe", "demo.no*"]
fence = { "demo.item" = ["z"] }

[roles."of all"]
allow = ["*:*"]

[limits]
"*" = { rate = "60/m" }

[limits."demo.note"]
rate = "1/h"

[[agents]]
id = "ann"
roles = ["reader"]

[[agents]]
id = "bob"
roles = ["reader", "writer"]

[[agents]]
id = "cleo"
roles = ["of all", "careful"]
limits = { rate = 7 }

[[agents]]
id = "nobody"
"""


VOCABULARY = Vocabulary("demo", frozenset(NAMES), frozenset({"item"}))


def read(text: str = POLICY) -> Policy:
    return parse_policy(text, "/etc/policy.toml", VOCABULARY)


def of(agent: str) -> Principal:
    return Principal(agent, "api_key")


@pytest.mark.parametrize(
    ("agent", "name", "access", "allowed", "because"),
    [
        ("ann", "echo", "read", True, "policy.toml:2: roles.reader.allow has '*:read'"),
        ("ann", "note", "write", False, "no role allows it (the agent's roles: reader)"),
        ("bob", "note", "write", True, "policy.toml:6: roles.writer.allow has 'demo:write'"),
        (
            "bob",
            "echo",
            "read",
            True,
            (
                "policy.toml:2: roles.reader.allow has '*:read'; "
                "policy.toml:6: roles.writer.allow has 'demo.echo'"
            ),
        ),
        ("cleo", "wipe", "destructive", False, "policy.toml:13: roles.careful.deny has 'demo.wipe'"),
        ("cleo", "note", "write", False, "policy.toml:13: roles.careful.deny has 'demo.no*'"),
        ("cleo", "echo", "read", True, "policy.toml:17: roles.of all.allow has '*:*'"),
        ("nobody", "echo", "read", False, "no role allows it (the agent's roles: none)"),
        ("eve", "echo", "read", False, "policy.toml has no agent 'eve'"),
    ],
)
def test_a_decision_comes_with_the_line_that_made_it(
    agent: str, name: str, access: Access, allowed: bool, because: str
) -> None:
    grant = read().grant(of(agent), "demo", name, access)
    assert (grant.allowed, grant.because) == (allowed, because)


def test_a_permission_for_one_connector_is_none_for_another() -> None:
    assert not read().grant(of("bob"), "other", "note", "write").allowed


def test_a_fence_is_as_wide_as_the_widest_role_that_allows_the_call() -> None:
    policy = read()

    def fence(agent: str, name: str, access: Access = "read") -> Fence:
        return policy.grant(of(agent), "demo", name, access).fence("demo.item")

    assert fence("ann", "item") == Fence(("a-*",))
    assert fence("bob", "item") == Fence(("a-*",))  # `writer` has no fence, but does not allow this either
    assert fence("bob", "echo") == Fence()
    assert fence("cleo", "echo") == Fence()  # a role that only denies does not narrow
    assert fence("ann", "note", "write") == Fence()  # not allowed at all


def test_fences_of_several_roles_add_up() -> None:
    text = POLICY.replace("deny = [", 'allow = ["*:read"]\ndeny = [').replace('["of all",', '["reader",')
    fence = read(text).grant(of("cleo"), "demo", "item", "read").fence("demo.item")
    assert fence == Fence(("a-*", "z"))
    assert [fence.admits(name) for name in ("a-1", "z", "b", "A-1", "zz")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert (fence.describe(), Fence().describe(), Fence(()).describe()) == ("a-*, z", "everything", "nothing")


def test_limits_come_from_the_agent_else_its_most_generous_role_else_the_default() -> None:
    policy = read()
    assert policy.agent_limits(of("cleo")) == Limits(rate=7)
    assert policy.agent_limits(of("bob")) == Limits(rate=2, burst=3, concurrency=4)
    assert policy.agent_limits(of("ann")) == Limits(rate=1)
    assert policy.agent_limits(of("eve")) == Limits(rate=1)
    assert policy.tool_limits("demo", "note") == Limits(rate=1 / 3600)
    assert policy.tool_limits("demo", "echo") is None
    assert open_to("x").agent_limits(of("x")) == Limits()


BAD = [
    ("[roles.a]\nallow = [\n", "2: not valid TOML: Invalid value"),
    ("a = 1\na = 2\n", "2: not valid TOML: Cannot overwrite a value"),
    ("[roles.a]\nalow = []\n", "2: roles.a.alow: is not a known setting"),
    ("# x\n[rules.a]\n", "2: rules: is not a known setting"),
    ('[roles.a]\nallow = "demo:read"\n', "2: roles.a.allow: Input should be a valid list"),
    (
        '[roles.a]\n\ndeny = ["demo.writ"]\n',
        "3: roles.a.deny.0: 'demo.writ': demo has no 'writ' (it has " + ", ".join(sorted(NAMES)) + ")",
    ),
    (
        '[roles.a]\nallow = ["demo"]\n',
        "2: roles.a.allow.0: 'demo' must be written `<connector>:<access>` or `<connector>.<name>`",
    ),
    (
        '[roles.a]\ndeny = ["demo.note:write"]\n',
        "2: roles.a.deny.0: 'demo.note:write' must be written `<connector>:<access>` or `<connector>.<name>`",
    ),
    (
        '[roles.a]\ndeny = ["Demo:write"]\n',
        "2: roles.a.deny.0: 'Demo:write' must be written `<connector>:<access>` or `<connector>.<name>`",
    ),
    (
        '[roles.a]\nallow = ["*:read", "demo:reed"]\n',
        "2: roles.a.allow.1: 'demo:reed': the access is read, write, destructive or *",
    ),
    (
        '[roles.a]\nfence = { item = ["x"] }\n',
        "2: roles.a.fence.item: 'item' must be written `<connector>.<kind>`",
    ),
    (
        '[roles.a]\nfence = { "demo.items" = ["x"] }\n',
        "2: roles.a.fence.demo.items: 'demo.items': demo has no such kind of object (it has item)",
    ),
    (
        '[roles.a]\nlimits = { rate = "fast" }\n',
        '2: roles.a.limits.rate: Value error, a rate is written like "10/s", "120/m" or "500/h"',
    ),
    (
        '[roles.a]\nlimits = { rate = "0/s" }\n',
        "2: roles.a.limits.rate: Input should be greater than or equal to 0.000001",
    ),
    ("[limits.x]\n", "1: limits.x: 'x' must be \"*\" or one tool, written `<connector>.<tool>`"),
    (
        '[limits]\n"demo.x" = {}\n',
        "2: limits.demo.x: 'demo.x': demo has no 'x' (it has " + ", ".join(sorted(NAMES)) + ")",
    ),
    ('[[agents]]\nid = "a"\n[[agents]]\nid = "a"\n', "4: agents.1.id: agent 'a' is there twice"),
    (
        '[[agents]]\nid = "a"\n[[agents]]\nid = "b"\nroles = ["x"]\n',
        "5: agents.1.roles: there is no role 'x' (known: none)",
    ),
    (
        '[[agents]]\nid = "a"\nkey = "rm_plain"\n',
        "3: agents.0.key: String should match pattern '^sha256:[0-9a-f]{64}$'",
    ),
    (
        f'[[agents]]\nid = "a"\nkey = "sha256:{"0" * 64}"\n[[agents]]\nid = "b"\nkey = "sha256:{"0" * 64}"\n',
        "6: agents.1.key: another agent has the same key",
    ),
    ("[[agents]]\n", "1: agents.0.id: Field required"),
]


@pytest.mark.parametrize(("text", "complaint"), BAD)
def test_a_fault_is_told_with_file_line_and_reason(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_policy(path, VOCABULARY)
    assert str(caught.value) == f"{path}:{complaint}"


def test_what_is_said_about_other_connectors_is_theirs_to_judge() -> None:
    read('[roles.a]\nallow = ["slack.post_message", "slack:write"]\n[limits]\n"slack.post_message" = {}\n')


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: No such file or directory$"):
        load_policy(tmp_path / "none.toml", VOCABULARY)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"not UTF-8 at byte 5$"):
        load_policy(tmp_path / "latin.toml", VOCABULARY)


@pytest.mark.parametrize("bad", [text for text, _ in BAD] + ["\udcff"])
def test_a_reload_that_fails_keeps_the_policy_in_force(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    store = PolicyStore(connector, path)
    before = store.current
    path.write_text(bad, encoding="utf-8", errors="surrogateescape")
    store.reload()
    assert store.current is before
    path.unlink()
    store.reload()
    assert store.current is before


def test_a_reload_takes_the_new_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    store = PolicyStore(connector, path)
    path.write_text('[[agents]]\nid = "zoe"\n', encoding="utf-8")
    store.reload()
    assert list(store.current.agents) == ["zoe"]


def test_a_reload_says_what_it_has_read_and_whether_that_is_new(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b'[[agents]]\r\nid = "zoe"\r\n')
    store = PolicyStore(connector, path)
    store.reload()
    path.write_bytes(b'[[agents]]\r\nid = "ann"\r\n')
    store.reload()
    assert caplog.messages == [  # with what `sha256sum` begins with
        f"policy unchanged in {path}, sha256 5baccbe5dcc1",
        f"policy reloaded from {path}, sha256 986ea484db05",
    ]


def test_without_a_policy_there_is_nothing_to_read_again(caplog: pytest.LogCaptureFixture) -> None:
    store = PolicyStore(connector, None)
    before = store.current
    store.reload()
    assert store.current is before
    assert caplog.messages == ["no policy to read again: RINGMAIN_POLICY is not set"]


@pytest.mark.parametrize(
    ("text", "location", "line"),
    [
        ('[roles]\na.allow = ["x"]\n', ("roles", "a", "allow", 0), 2),
        ('roles.a.allow = ["x"]\n', ("roles", "a", "allow", 0), 1),
        ('roles = { a = { allow = ["x"] } }\n', ("roles", "a", "allow", 0), 1),
        ('[ roles . "a" ] # [x]\n  allow=["x"]\n', ("roles", "a", "allow", 0), 2),
        ("x = 1\n", ("y",), None),
    ],
)
def test_lines_are_found_in_every_way_to_write_toml(
    text: str, location: tuple[str | int, ...], line: int | None
) -> None:
    assert locate(text, location) == line
