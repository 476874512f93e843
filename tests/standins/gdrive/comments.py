"""`comments.*` and `replies.*`: what people say about a file, and how it is resolved."""

from html import escape
from typing import Any

from standins.gdrive.errors import Refusal, bad_request, no_permission
from standins.gdrive.file import File
from standins.gdrive.models import Comment, Reply
from standins.gdrive.shapes import user
from standins.gdrive.viewer import View
from standins.gdrive.web import Asked, Routes, moment, required, stamp

routes = Routes()


def _said(view: View, kind: str, of: Comment | Reply) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": f"drive#{kind}",
        "id": of.id,
        "createdTime": stamp(of.created),
        "modifiedTime": stamp(of.modified),
        "author": {**user(view, of.author), "emailAddress": None},
        "deleted": of.deleted,
    }
    made["author"] = {name: one for name, one in made["author"].items() if one is not None}
    if not of.deleted:
        made |= {"content": of.content, "htmlContent": escape(of.content, quote=False)}
    return made


def _reply(view: View, of: Reply) -> dict[str, Any]:
    return _said(view, "reply", of) | ({"action": of.action} if of.action else {})


def _comment(view: View, of: Comment, *, deleted: bool = False) -> dict[str, Any]:
    made = _said(view, "comment", of)
    if of.anchor:
        made["anchor"] = of.anchor
    if of.quoted and not of.deleted:
        made["quotedFileContent"] = of.quoted
    if not of.deleted:
        made["resolved"] = of.resolved
    return made | {"replies": [_reply(view, one) for one in of.replies if deleted or not one.deleted]}


def _found(asked: Asked, file: File) -> Comment:
    number = asked.text("commentId")
    found = file.comments.get(number)
    if found is None or (found.deleted and not asked.flag("includeDeleted")):
        raise Refusal(404, "notFound", f"Comment not found: {number}.", location="commentId")
    return found


def _reply_of(asked: Asked, comment: Comment) -> Reply:
    number = asked.text("replyId")
    found = next((one for one in comment.replies if one.id == number), None)
    if found is None or (found.deleted and not asked.flag("includeDeleted")):
        raise Refusal(404, "notFound", f"Reply not found: {number}.", location="replyId")
    return found


def _open(asked: Asked) -> File:
    """The file, where the person may speak about it."""
    file = asked.file(role="commenter")
    if file.is_folder or file.restriction:
        raise no_permission(file.id)
    return file


def _mine(asked: Asked, of: Comment | Reply) -> None:
    if of.author != asked.me:
        raise no_permission(asked.text("fileId"))


def _done(asked: Asked, file: File, *said: Comment | Reply) -> None:
    for one in said:
        one.modified = asked.store.time()
    asked.store.touch(file)


@routes.on("drive.comments.list")
def listed(asked: Asked) -> dict[str, Any]:
    file, deleted, since = asked.file(), asked.flag("includeDeleted"), asked.text("startModifiedTime")
    earliest = moment(since, "startModifiedTime") if since else 0.0

    def accept(one: Comment) -> bool:
        return (deleted or not one.deleted) and one.modified >= earliest

    def rows() -> list[Comment]:
        return sorted(file.comments.values(), key=lambda one: one.modified, reverse=True)

    page, following = asked.page((file.id, deleted, since), rows, accept)
    return asked.mask.made(
        {
            "kind": "drive#commentList",
            "nextPageToken": following,
            "comments": [_comment(asked.view, one, deleted=deleted) for one in page],
        }
    )


@routes.on("drive.comments.get")
def get(asked: Asked) -> dict[str, Any]:
    found = _found(asked, asked.file())
    return asked.mask.shown(_comment(asked.view, found, deleted=asked.flag("includeDeleted")))


@routes.on("drive.comments.create")
def create(asked: Asked) -> dict[str, Any]:
    file = _open(asked)
    if not asked.body.get("content"):
        raise required("content")
    now = asked.store.time()
    made = Comment(asked.store.new_id("AAAB", 11), asked.me, asked.body["content"], now, now)
    made.anchor, made.quoted = asked.body.get("anchor", ""), asked.body.get("quotedFileContent", {})
    file.comments[made.id] = made
    asked.store.touch(file)
    return asked.mask.shown(_comment(asked.view, made))


@routes.on("drive.comments.update")
def update(asked: Asked) -> dict[str, Any]:
    file = _open(asked)
    found = _found(asked, file)
    _mine(asked, found)
    if not asked.body.get("content"):
        raise required("content")
    found.content = asked.body["content"]
    _done(asked, file, found)
    return asked.mask.shown(_comment(asked.view, found))


@routes.on("drive.comments.delete")
def delete(asked: Asked) -> None:
    file = _open(asked)
    found = _found(asked, file)
    _mine(asked, found)
    found.deleted = True
    _done(asked, file, found)


@routes.on("drive.replies.list")
def listed_replies(asked: Asked) -> dict[str, Any]:
    file, deleted = asked.file(), asked.flag("includeDeleted")
    found = _found(asked, file)

    def accept(one: Reply) -> bool:
        return deleted or not one.deleted

    page, following = asked.page((file.id, found.id, deleted), lambda: found.replies, accept)
    return asked.mask.made(
        {
            "kind": "drive#replyList",
            "nextPageToken": following,
            "replies": [_reply(asked.view, one) for one in page],
        }
    )


@routes.on("drive.replies.get")
def get_reply(asked: Asked) -> dict[str, Any]:
    return asked.mask.shown(_reply(asked.view, _reply_of(asked, _found(asked, asked.file()))))


@routes.on("drive.replies.create")
def create_reply(asked: Asked) -> dict[str, Any]:
    file = _open(asked)
    found, now = _found(asked, file), asked.store.time()
    action = asked.body.get("action", "")
    if action not in {"", "resolve", "reopen"}:
        raise bad_request("The action of a reply is resolve or reopen.", "action")
    if not action and not asked.body.get("content"):
        raise required("content")
    made = Reply(asked.store.new_id("AAAB", 11), asked.me, asked.body.get("content", ""), now, now, action)
    found.replies.append(made)
    if action:
        found.resolved = action == "resolve"
    _done(asked, file, found)
    return asked.mask.shown(_reply(asked.view, made))


@routes.on("drive.replies.update")
def update_reply(asked: Asked) -> dict[str, Any]:
    file = _open(asked)
    comment = _found(asked, file)
    found = _reply_of(asked, comment)
    _mine(asked, found)
    if not asked.body.get("content"):
        raise required("content")
    found.content = asked.body["content"]
    _done(asked, file, comment, found)
    return asked.mask.shown(_reply(asked.view, found))


@routes.on("drive.replies.delete")
def delete_reply(asked: Asked) -> None:
    file = _open(asked)
    comment = _found(asked, file)
    found = _reply_of(asked, comment)
    _mine(asked, found)
    found.deleted = True
    _done(asked, file, comment, found)
