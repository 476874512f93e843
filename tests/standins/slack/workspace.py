"""Methods of the workspace and its people: auth, team, users, usergroups."""

from typing import Any

from standins.slack import shapes
from standins.slack.models import User
from standins.slack.web import Asked, Refusal, Routes, following

routes = Routes()


@routes.on("api.test")
def api_test(asked: Asked) -> dict[str, Any]:
    return {"args": dict(asked.values)}


@routes.on("auth.test")
def auth_test(asked: Asked) -> dict[str, Any]:
    team, user = asked.team, asked.user
    made = {"url": team.url, "team": team.name, "user": user.name, "team_id": team.id, "user_id": user.id}
    return made | ({"bot_id": user.bot_id} if asked.mine.is_bot else {}) | {"is_enterprise_install": False}


@routes.on("auth.revoke")
def auth_revoke(asked: Asked) -> dict[str, Any]:
    asked.mine.revoked = not asked.flag("test")
    return {"revoked": asked.mine.revoked}


@routes.on("team.info")
def team_info(asked: Asked) -> dict[str, Any]:
    team = asked.team
    if asked.text("team") not in {"", team.id}:
        raise Refusal("team_not_found")
    made = {"id": team.id, "name": team.name, "url": team.url, "domain": team.domain, "email_domain": ""}
    return {"team": made | {"icon": {"image_default": True}, "is_verified": False}}


def _shown(asked: Asked, user: User) -> dict[str, Any]:
    email = "users:read.email" in asked.mine.scopes
    return shapes.user(user, email=email, locale=asked.flag("include_locale"))


@routes.on("users.info")
def users_info(asked: Asked) -> dict[str, Any]:
    found = asked.team.find_user(asked.text("user"))
    if found is None:
        raise Refusal("user_not_found")
    return {"user": _shown(asked, found)}


@routes.on("users.list")
def users_list(asked: Asked) -> dict[str, Any]:
    team, start = asked.team, asked.position("user")
    end = start + asked.limit(1000)
    rows = [_shown(asked, one) for one in team.users_from(start, end)]
    more = following("user", end if end < team.user_count() else "")
    return {"members": rows, "cache_ts": int(asked.fake.time()), **more}


@routes.on("users.lookupByEmail")
def users_lookup(asked: Asked) -> dict[str, Any]:
    found = asked.team.find_email(asked.text("email"))
    if found is None:
        raise Refusal("users_not_found")
    return {"user": _shown(asked, found)}


@routes.on("usergroups.list")
def usergroups_list(asked: Asked) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for one in asked.team.usergroups.values():
        if one.disabled and not asked.flag("include_disabled"):
            continue
        row: dict[str, Any] = {
            "id": one.id,
            "team_id": asked.team.id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": one.name,
            "description": one.description,
            "handle": one.handle,
            "is_external": False,
            "date_create": shapes.UPDATED,
            "date_update": shapes.UPDATED,
            "date_delete": shapes.UPDATED if one.disabled else 0,
            "auto_type": None,
            "created_by": asked.mine.user,
            "updated_by": asked.mine.user,
            "deleted_by": None,
            "prefs": {"channels": [], "groups": []},
        }
        if asked.flag("include_users"):
            row["users"] = list(one.users)
        if asked.flag("include_count"):
            row["user_count"] = len(one.users)
        rows.append(row)
    return {"usergroups": rows}


@routes.on("usergroups.users.list")
def usergroup_users(asked: Asked) -> dict[str, Any]:
    found = asked.team.usergroups.get(asked.text("usergroup"))
    if found is None:
        raise Refusal("no_such_subteam")
    return {"users": list(found.users)}
