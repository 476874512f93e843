"""What stands before every method: its parameters, its body, the token, the token's scopes, `fields`."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import from_json

from standins.gdrive import fields, validate
from standins.gdrive.described import Method, Parameter, full_scope
from standins.gdrive.errors import Refusal, bad_request, not_writable
from standins.gdrive.web import Asked, required

_UNKNOWN: Any = object()
_REALM = 'Bearer realm="https://accounts.google.com/"'
_WRITTEN_ONCE = {
    "drive.permissions.create": {"emailAddress", "domain"},
    "drive.files.create": {"id"},
    "drive.files.copy": {"id"},
}
_NEVER_WRITTEN = {"File": {"id", "sharedWithMeTime", "trashedTime"}, "Drive": {"createdTime"}}
_SIMPLE: Mapping[str, str] = {
    "File": "kind,id,name,mimeType,driveId,teamDriveId,resourceKey",
    "Permission": "kind,id,type,role,allowFileDiscovery",
    "PermissionList": "kind,nextPageToken,permissions(kind,id,type,role,allowFileDiscovery)",
    "Revision": "kind,id,mimeType,modifiedTime",
    "RevisionList": "kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)",
    "Drive": "kind,id,name,colorRgb,backgroundImageLink",
    "DriveList": "kind,nextPageToken,drives(kind,id,name)",
}
_FILE = f"file({_SIMPLE['File']})"
_DEFAULTS: Mapping[str, str] = {
    **_SIMPLE,
    "FileList": f"kind,nextPageToken,incompleteSearch,files({_SIMPLE['File']})",
    "ChangeList": "kind,nextPageToken,newStartPageToken,changes(kind,type,changeType,time,removed,fileId,"
    f"driveId,teamDriveId,drive({_SIMPLE['Drive']}),{_FILE})",
}
_ASKS_FOR_FIELDS = {"drive.about.get"} | {
    f"drive.{resource}.{verb}"
    for resource in ("comments", "replies")
    for verb in ("create", "get", "list", "update")
}


def typed(asked: Asked, method: Method) -> None:
    """Read the parameters as the description types them, and note what is against it.

    Raises:
        Refusal: `required`, `invalidParameter`, `badRequest` for one that is not known.
    """
    for name, text in asked.given.items():
        parameter = method.parameters.get(name)
        if parameter is None:
            if name == "upload_id" and method.uploads:
                continue
            asked.fake.violations.append(f"{method.id}: no parameter `{name}`")
            raise bad_request(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            )
        value = _read(parameter, text)
        if value is _UNKNOWN:
            asked.fake.violations.append(f"{method.id}: {name}={text} is no {parameter.kind}")
            raise _out_of(parameter, text)
        asked.values[name] = value
    for name, parameter in method.parameters.items():
        if parameter.required and name not in asked.values:
            asked.fake.violations.append(f"{method.id}: {name} is missing")
            raise required(name)
        if parameter.default is not None and name not in asked.values:
            asked.values[name] = _read(parameter, parameter.default)


def _read(parameter: Parameter, text: str) -> Any:
    if parameter.kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), _UNKNOWN)
    if parameter.kind == "integer":
        if not text.lstrip("-").isdigit():
            return _UNKNOWN
        number = int(text)
        if parameter.lowest is not None and number < parameter.lowest:
            return _UNKNOWN
        return number if parameter.highest is None else min(number, parameter.highest)
    return text if not parameter.choices or text in parameter.choices else _UNKNOWN


def _out_of(parameter: Parameter, text: str) -> Refusal:
    message = f"Invalid value '{text}'."
    if parameter.lowest is not None:
        message += f" Values must be within the range: [{parameter.lowest}, {parameter.highest}]"
    return Refusal(400, "invalidParameter", message, location=parameter.name)


def body(asked: Asked, method: Method, content: bytes) -> None:
    """Read the JSON of a body and hold it against its schema.

    Raises:
        Refusal: `parseError`, `badRequest` for an unknown field, `fieldNotWritable`.
    """
    if not content:
        return
    try:
        read: Any = from_json(content)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not method.request:
        asked.fake.violations.append(f"{method.id}: a body that is not expected: {content[:80]!r}")
        raise Refusal(400, "parseError", "Parse Error")
    asked.body = read
    found = validate.wrong(method.request, _without_nulls(read))
    if found:
        asked.fake.violations += [f"{method.id}: {one}" for one in found]
        raise bad_request(f"Invalid JSON payload received. {found[0]}")
    fixed = validate.read_only(method.request) | _NEVER_WRITTEN.get(method.request, set())
    fixed -= _WRITTEN_ONCE.get(method.id, set())
    if written := sorted(asked.body.keys() & fixed):
        asked.fake.violations.append(f"{method.id}: {', '.join(written)} cannot be written")
        raise not_writable()


def _without_nulls(value: Any) -> Any:
    """What is given: null takes a value away."""
    if isinstance(value, dict):
        some = cast("dict[str, Any]", value)
        return {name: _without_nulls(one) for name, one in some.items() if one is not None}
    return value


def known_token(asked: Asked) -> None:
    """Find whose token a request carries.

    Raises:
        Refusal: 401, `required` without a token, `authError` for one that is unknown, revoked or expired.
    """
    if "access_token" in asked.given:
        asked.fake.violations.append(f"{asked.name}: a token in the query")
    kind, _, value = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not value:
        message = "Login Required."
        raise Refusal(
            401,
            "required",
            message,
            location="Authorization",
            kind="header",
            headers={"www-authenticate": _REALM},
        )
    token = asked.fake.tokens.get(value)
    if token is not None:
        asked.token = token
    if token is None or token.revoked or token.expires <= asked.fake.time():
        raise Refusal(
            401,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
            "other valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project.",
            short="Invalid Credentials",
            location="Authorization",
            kind="header",
            headers={"www-authenticate": f'{_REALM}, error="invalid_token"'},
            status="UNAUTHENTICATED",
        )


def admit(asked: Asked, scopes: frozenset[str], name: str) -> None:
    """See that the token has one of these scopes.

    Raises:
        Refusal: `insufficientPermissions`, with what is missing in the header.
    """
    assert asked.token is not None
    if scopes.isdisjoint(asked.token.scopes):
        resource, _, verb = name.removeprefix("drive.").rpartition(".")
        service = f"google.apps.drive.v3.Drive{resource.title()}.{verb.title()}"
        wanted = " ".join(full_scope(one) for one in sorted(scopes))
        raise Refusal(
            403,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
            short="Insufficient Permission",
            headers={"www-authenticate": f'{_REALM}, error="insufficient_scope", scope="{wanted}"'},
            status="PERMISSION_DENIED",
            details=[
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                    "domain": "googleapis.com",
                    "metadata": {"service": "drive.googleapis.com", "method": service},
                }
            ],
        )


def masked(asked: Asked, method: Method) -> None:
    """Read `fields`, or what is answered without.

    Raises:
        Refusal: `invalidParameter`; `required` of the methods that have no default.
    """
    text = asked.values.get("fields")
    if text is None and method.id in _ASKS_FOR_FIELDS:
        asked.fake.violations.append(f"{method.id}: `fields` is missing")
        raise Refusal(
            400, "required", "The 'fields' parameter is required for this method.", location="fields"
        )
    if method.response:
        asked.mask = fields.parsed(text or _DEFAULTS.get(method.response, "*"), method.response)
