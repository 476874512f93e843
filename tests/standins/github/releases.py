"""Routes of releases: list, get, by tag, create, patch, notes."""

from typing import Any

from standins.github import shapes
from standins.github.models import Release
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Routes, invalid, not_found

routes = Routes()
_RELEASES = "/repos/{owner}/{repo}/releases"


def release_shape(repo: Repository, release: Release) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_RELEASES}", 0, of=repo.full_name)
    api, html = f"{repo.fake.api}/repos/{repo.full_name}", f"{repo.fake.url}/{repo.full_name}"
    url = f"{api}/releases/{release.id}"
    return made | {
        "id": release.id,
        "node_id": f"RE_{release.id}",
        "url": url,
        "html_url": f"{html}/releases/tag/{release.tag}",
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "tarball_url": None if release.draft else f"{api}/tarball/{release.tag}",
        "zipball_url": None if release.draft else f"{api}/zipball/{release.tag}",
        "tag_name": release.tag,
        "target_commitish": release.target,
        "name": release.name,
        "body": release.body,
        "draft": release.draft,
        "prerelease": release.prerelease,
        "created_at": release.created_at,
        "published_at": release.published_at,
        "author": shapes.user(repo.fake, release.author),
        "assets": [],
    }


def _find(asked: Asked, *, number: int | None = None, tag: str | None = None) -> Release:
    for one in asked.repo.releases:
        if one.id == number or (one.tag == tag and not one.draft):
            return one
    raise not_found()


@routes.on("GET", _RELEASES, needs="contents")
def releases(asked: Asked) -> Any:
    return asked.page([release_shape(asked.repo, one) for one in reversed(asked.repo.releases)])


@routes.on("GET", f"{_RELEASES}/latest", needs="contents")
def latest(asked: Asked) -> Any:
    known = [one for one in asked.repo.releases if not one.draft and not one.prerelease]
    if not known:
        raise not_found()
    return release_shape(asked.repo, known[-1])


@routes.on("GET", f"{_RELEASES}/tags/{{tag}}", needs="contents")
def by_tag(asked: Asked) -> Any:
    return release_shape(asked.repo, _find(asked, tag=asked.parts["tag"]))


@routes.on("GET", f"{_RELEASES}/{{release_id}}", needs="contents")
def release(asked: Asked) -> Any:
    return release_shape(asked.repo, _find(asked, number=asked.number("release_id")))


@routes.on("POST", f"{_RELEASES}/generate-notes", needs="contents")
def notes(asked: Asked) -> Any:
    return _notes(asked, asked.fields["tag_name"])


def _notes(asked: Asked, tag: str) -> dict[str, str]:
    merged = [one for one in asked.repo.issues.values() if one.pull and one.pull.merged_at]
    html = f"{asked.fake.url}/{asked.repo.full_name}"
    rows = [f"* {one.title} by @{one.author} in {html}/pull/{one.number}" for one in merged]
    body = "\n".join(["## What's Changed", *rows, "", f"**Full Changelog**: {html}/commits/{tag}"])
    return {"name": tag, "body": body}


@routes.on("POST", _RELEASES, needs="contents")
def create(asked: Asked) -> Any:
    fields, repo = asked.fields, asked.repo
    tag, draft = str(fields["tag_name"]), bool(fields.get("draft"))
    if any(one.tag == tag and not one.draft for one in repo.releases):
        raise invalid("Release", "tag_name", "already_exists")
    target = fields.get("target_commitish", repo.default_branch)
    if tag not in repo.tags and repo.find(target) is None:
        raise invalid("Release", "target_commitish")
    written = _notes(asked, tag) if fields.get("generate_release_notes") else {}
    body = "\n\n".join(one for one in (fields.get("body"), written.get("body")) if one)
    made = repo.release(
        tag,
        name=fields.get("name") or written.get("name"),
        body=body or None,
        author=asked.login,
        target=target,
        draft=draft,
        prerelease=bool(fields.get("prerelease")),
    )
    return Answer(release_shape(repo, made), 201)


@routes.on("PATCH", f"{_RELEASES}/{{release_id}}", needs="contents")
def change(asked: Asked) -> Any:
    found, fields, repo = _find(asked, number=asked.number("release_id")), asked.fields, asked.repo
    found.tag = fields.get("tag_name", found.tag)
    found.target = fields.get("target_commitish", found.target)
    for name in ("name", "body", "prerelease", "draft"):
        if name in fields:
            setattr(found, name, fields[name])
    if not found.draft and found.published_at is None:
        found.published_at = asked.fake.now()
        repo.tags.setdefault(found.tag, repo.sha(found.target))
    return release_shape(repo, found)
