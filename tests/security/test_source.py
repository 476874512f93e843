"""What the code must not contain anywhere: ways to run what somebody sent, and ways to trust anybody."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for top in ("shared", "packages") for path in (ROOT / top).rglob("*.py") if ".venv" not in path.parts
)

NO_MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "diskcache", "jsonpickle",
    "code", "codeop", "pty", "telnetlib", "ftplib", "xmlrpc", "imp", "requests",
}  # fmt: skip
NO_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv",
    "os.spawnl", "commands.getoutput", "yaml.load", "yaml.unsafe_load", "pickle.loads", "marshal.loads",
    "subprocess.run", "subprocess.call", "subprocess.Popen", "subprocess.check_output", "tempfile.mktemp",
    "ssl._create_unverified_context", "urllib.request.urlopen", "asyncio.create_subprocess_shell",
    "asyncio.create_subprocess_exec",
}  # fmt: skip
NO_KEYWORDS = {
    ("shell", True),
    ("verify", False),
    ("follow_redirects", True),
    ("allow_redirects", True),
    ("check_hostname", False),
    ("verify_signature", False),
    ("verify_exp", False),
    ("verify_aud", False),
    ("ssl", False),
}


def tree_of(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def found(kind: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import() if kind == "modules":
                yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in NO_MODULES)
            case ast.ImportFrom() if kind == "modules":
                if (node.module or "").partition(".")[0] in NO_MODULES:
                    yield node.module or ""
            case ast.Call() if kind == "calls":
                name = ast.unparse(node.func)
                if name in NO_CALLS or name.endswith(".extractall"):
                    yield f"{name} in line {node.lineno}"
            case ast.Call() if kind == "keywords":
                for keyword in node.keywords:
                    value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                    if value is not None and (keyword.arg, value) in NO_KEYWORDS and value in (True, False):
                        yield f"{keyword.arg}={value} in line {node.lineno}"
            case ast.Attribute() if kind == "trust":
                if node.attr in ("CERT_NONE", "PROTOCOL_TLSv1", "_create_unverified_context"):
                    yield f"{node.attr} in line {node.lineno}"
            case _:
                pass


def test_the_scan_sees_the_code() -> None:
    assert len(MODULES) > 100
    bad = "import pickle\neval('1')\nf(verify=False)\nre.compile('x')\nredis.eval(SCRIPT)\nv = ssl.CERT_NONE"
    seen = {kind: list(found(kind, ast.parse(bad))) for kind in ("modules", "calls", "keywords", "trust")}
    assert seen == {
        "modules": ["pickle"],
        "calls": ["eval in line 2"],
        "keywords": ["verify=False in line 3"],
        "trust": ["CERT_NONE in line 6"],
    }


@pytest.mark.parametrize(
    "kind",
    ["modules", "calls", "keywords", "trust"],
    ids=[
        "CVE-2025-69872 no pickle anywhere",
        "no exec",
        "no verify=False, no follow_redirects=True",
        "no trust in everybody",
    ],
)
def test_the_code_contains_none_of_it(kind: str) -> None:
    faults = {
        f"{path.relative_to(ROOT)}: {fault}" for path in MODULES for fault in found(kind, tree_of(path))
    }
    assert faults == set()


def test_cve_2025_64340_cve_2025_6514_nothing_starts_a_program() -> None:
    """No module even imports the means, but for the one that reads files in a worker of our own."""
    means = {"subprocess", "pexpect", "shlex", "multiprocessing"}
    calls = {"open_process", "run_process", "create_subprocess_exec", "create_subprocess_shell"}
    faults: set[str] = set()
    started: list[str] = []
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] != ["DEVNULL"]:
                names.append(node.module or "")
            faults |= {
                f"{path.relative_to(ROOT)}: {name}" for name in names if name.partition(".")[0] in means
            }
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in calls
            ):
                started.append(ast.unparse(node.args[0]))
    assert faults == set()
    assert started == ["[sys.executable, '-P', '-m', 'ringmain_gdrive.extraction']"]


def test_every_http_client_says_what_it_does_about_redirects_or_follows_none() -> None:
    """httpx2 follows none unless told to; this is where a new default would be noticed."""
    import httpx2

    with httpx2.Client() as client:
        assert client.follow_redirects is False
