"""Routes of a repository and its files: readme, languages, branches, tags, refs, contents, trees, blobs."""

import base64
from typing import Any

from standins.github import shapes
from standins.github.commits import commit_of
from standins.github.git import Commit
from standins.github.web import Answer, Asked, Refusal, Routes, not_found

routes = Routes()
_REPO = "/repos/{owner}/{repo}"
_LANGUAGES = {"py": "Python", "md": "Markdown", "yml": "YAML", "js": "JavaScript", "sh": "Shell"}
_INLINE = 1024 * 1024


@routes.on("GET", _REPO)
def repository(asked: Asked) -> Any:
    return shapes.full_repository(asked.repo, asked.login)


@routes.on("GET", f"{_REPO}/languages")
def languages(asked: Asked) -> Any:
    sizes: dict[str, int] = {}
    for path, sha in asked.repo.at("HEAD").files.items():
        language = _LANGUAGES.get(path.rpartition(".")[2])
        if language not in {None, "Markdown", "YAML"}:
            sizes[str(language)] = sizes.get(str(language), 0) + len(asked.repo.git.blobs[sha])
    return sizes


@routes.on("GET", f"{_REPO}/branches", needs="contents")
def branches(asked: Asked) -> Any:
    repo = asked.repo
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "commit": {"sha": sha, "url": f"{asked.fake.api}/repos/{repo.full_name}/commits/{sha}"},
            "protected": name in repo.protected,
        }
        for name, sha in sorted(repo.heads.items())
    ]
    return asked.page(rows)


@routes.on("GET", f"{_REPO}/branches/{{branch}}", needs="contents")
def branch(asked: Asked) -> Any:
    name = asked.parts["branch"]
    if name not in asked.repo.heads:
        raise Refusal(404, "Branch not found")
    return shapes.shape(
        asked.fake,
        "GET /repos/{owner}/{repo}/branches/{branch}",
        of=asked.repo.full_name,
        name=name,
        commit=shapes.commit(asked.repo, asked.repo.at(name)),
        protected=name in asked.repo.protected,
    )


@routes.on("GET", f"{_REPO}/tags")
def tags(asked: Asked) -> Any:
    rows: list[dict[str, Any]] = []
    for name, sha in sorted(asked.repo.tags.items(), reverse=True):
        made = shapes.shape(asked.fake, "GET /repos/{owner}/{repo}/tags", 0, of=asked.repo.full_name)
        url = f"{asked.fake.api}/repos/{asked.repo.full_name}/commits/{sha}"
        rows.append(made | {"name": name, "commit": {"sha": sha, "url": url}})
    return asked.page(rows)


@routes.on("GET", f"{_REPO}/git/ref/{{ref}}", needs="contents")
def reference(asked: Asked) -> Any:
    kind, _, name = asked.parts["ref"].partition("/")
    known = {"heads": asked.repo.heads, "tags": asked.repo.tags}.get(kind, {})
    if name not in known:
        raise not_found()
    return _reference(asked, f"{kind}/{name}", known[name])


@routes.on("GET", f"{_REPO}/git/matching-refs/{{ref}}", needs="contents")
def matching_references(asked: Asked) -> Any:
    repo = asked.repo
    every = {f"heads/{name}": sha for name, sha in repo.heads.items()}
    every |= {f"tags/{name}": sha for name, sha in repo.tags.items()}
    return [
        _reference(asked, name, sha)
        for name, sha in sorted(every.items())
        if name.startswith(asked.parts["ref"])
    ]


@routes.on("POST", f"{_REPO}/git/refs", needs="contents")
def create_reference(asked: Asked) -> Any:
    repo = asked.repo
    kind, _, name = str(asked.fields["ref"]).removeprefix("refs/").partition("/")
    known = repo.heads if kind == "heads" else repo.tags
    if name in known:
        raise Refusal(422, "Reference already exists")
    if asked.fields["sha"] not in repo.git.commits:
        raise Refusal(422, "Object does not exist")
    known[name] = asked.fields["sha"]
    return Answer(_reference(asked, f"{kind}/{name}", known[name]), 201)


@routes.on("DELETE", f"{_REPO}/git/refs/{{ref}}", needs="contents")
def delete_reference(asked: Asked) -> Any:
    kind, _, name = asked.parts["ref"].partition("/")
    known = asked.repo.heads if kind == "heads" else asked.repo.tags
    if known.pop(name, None) is None:
        raise Refusal(422, "Reference does not exist")
    return Answer(status=204)


def _reference(asked: Asked, name: str, sha: str) -> dict[str, Any]:
    api = f"{asked.fake.api}/repos/{asked.repo.full_name}/git"
    return {
        "ref": f"refs/{name}",
        "node_id": "REF_1",
        "url": f"{api}/refs/{name}",
        "object": {"type": "commit", "sha": sha, "url": f"{api}/commits/{sha}"},
    }


@routes.on("GET", f"{_REPO}/readme", needs="contents")
def readme(asked: Asked) -> Any:
    commit = commit_of(asked, asked.query.get("ref", "HEAD"))
    path = next((one for one in sorted(commit.files) if one.lower() in {"readme.md", "readme"}), None)
    if path is None:
        raise not_found()
    return _file(asked, commit, path)


@routes.on("GET", f"{_REPO}/contents/{{path}}", needs="contents")
def contents(asked: Asked) -> Any:
    ref = asked.query.get("ref", "HEAD")
    if asked.repo.find(ref) is None:
        raise Refusal(404, f"No commit found for the ref {ref}")
    commit = commit_of(asked, ref)
    path = asked.parts["path"].strip("/")
    if path in commit.files:
        return _file(asked, commit, path)
    return _folder(asked, commit, path)


def _folder(asked: Asked, commit: Commit, path: str) -> Any:
    inside = {
        one.removeprefix(f"{path}/" if path else "")
        for one in commit.files
        if not path or one.startswith(f"{path}/")
    }
    if not inside:
        raise not_found()
    rows: list[dict[str, Any]] = []
    for name in sorted({one.partition("/")[0] for one in inside}):
        full = f"{path}/{name}".strip("/")
        if full in commit.files:
            row = _file_row(asked, commit, full)
            rows.append({key: value for key, value in row.items() if key not in {"content", "encoding"}})
        else:
            rows.append(_row(asked, commit, full, "dir", "0" * 40, 0))
    return rows


def _file(asked: Asked, commit: Commit, path: str) -> Any:
    at = commit.files[path]
    content = asked.repo.git.blobs[at]
    if at in asked.repo.git.links:  # GitHub gives the file that it leads to
        beside = f"{path.rpartition('/')[0]}/{content.decode()}".strip("/")
        content = asked.repo.git.blobs[commit.files[beside]]
    if asked.accepts("raw"):
        return Answer(content, headers={"content-type": "application/vnd.github.raw+json; charset=utf-8"})
    return _file_row(asked, commit, path)


def _file_row(asked: Asked, commit: Commit, path: str) -> dict[str, Any]:
    sha = commit.files[path]
    content = asked.repo.git.blobs[sha]
    made = _row(asked, commit, path, "file", sha, len(content))
    large = len(content) > _INLINE
    return made | {
        "encoding": "none" if large else "base64",
        "content": "" if large else base64.encodebytes(content).decode(),
    }


def _row(asked: Asked, commit: Commit, path: str, kind: str, sha: str, size: int) -> dict[str, Any]:
    name, fake = asked.repo.full_name, asked.fake
    url = f"{fake.api}/repos/{name}/contents/{path}?ref={commit.sha}"
    git = f"{fake.api}/repos/{name}/git/{'blobs' if kind == 'file' else 'trees'}/{sha}"
    html = f"{fake.url}/{name}/{'blob' if kind == 'file' else 'tree'}/{commit.sha}/{path}"
    raw = f"{fake.url}/{name}/raw/{commit.sha}/{path}" if kind == "file" else None
    return {
        "type": kind,
        "size": size,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": raw,
        "_links": {"git": git, "self": url, "html": html},
    }


@routes.on("GET", f"{_REPO}/git/trees/{{tree_sha}}", needs="contents")
def tree(asked: Asked) -> Any:
    repo = asked.repo
    name, _, below = asked.parts["tree_sha"].partition(":")
    sha = name if name in repo.git.trees else repo.git.commits[repo.find(name) or _missing()].tree
    for part in filter(None, below.split("/")):
        folders = {entry: found for mode, entry, found in repo.git.trees[sha] if mode == "40000"}
        sha = folders.get(part) or _missing()
    rows = _entries(asked, sha, "", deep="recursive" in asked.query)
    return {
        "sha": sha,
        "url": f"{asked.fake.api}/repos/{repo.full_name}/git/trees/{sha}",
        "tree": rows[: asked.fake.tree_limit],
        "truncated": len(rows) > asked.fake.tree_limit,
    }


def _missing() -> str:
    raise not_found()


def _entries(asked: Asked, sha: str, above: str, *, deep: bool) -> list[dict[str, Any]]:
    git = asked.repo.git
    rows: list[dict[str, Any]] = []
    for mode, name, below in git.trees[sha]:
        kind = "tree" if mode == "40000" else "blob"
        row: dict[str, Any] = {"path": above + name, "mode": mode.zfill(6), "type": kind, "sha": below}
        row["url"] = f"{asked.fake.api}/repos/{asked.repo.full_name}/git/{kind}s/{below}"
        if kind == "blob":
            row["size"] = len(git.blobs[below])
        rows.append(row)
        if deep and kind == "tree":
            rows += _entries(asked, below, f"{above}{name}/", deep=True)
    return rows


@routes.on("GET", f"{_REPO}/git/blobs/{{file_sha}}", needs="contents")
def blob(asked: Asked) -> Any:
    sha = asked.parts["file_sha"]
    content = asked.repo.git.blobs.get(sha)
    if content is None:
        raise not_found()
    if asked.accepts("raw"):
        return Answer(content)
    return {
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
        "sha": sha,
        "size": len(content),
        "url": f"{asked.fake.api}/repos/{asked.repo.full_name}/git/blobs/{sha}",
        "node_id": f"B_{sha[:12]}",
    }
