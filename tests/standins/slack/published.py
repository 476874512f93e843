"""What Slack publishes about its methods: arguments, and scopes of bot and user tokens.

A row: the scopes (`bot / user` where they differ, `-` where that kind of token is not let in, `|` between
alternatives, `*:` for channels, groups, im or mpim, whichever the conversation is; `*:manage` is
channels:manage of bots and channels:write of users, and …:write of the others), then the arguments, `!` for
required ones, with `:` and their kind: string unless told, bool, int, list (JSON or with commas), json.
"""

from dataclasses import dataclass
from functools import cache

_SAID = "text as_user:bool attachments:json blocks:json link_names:bool markdown_text metadata:json parse"
_SENT = "reply_broadcast:bool thread_ts unfurl_links:bool unfurl_media:bool"
_POST = f"{_SAID} icon_emoji icon_url mrkdwn:bool {_SENT}"
_APPS = "unfurl_app_links:bool"
_WALK = "cursor limit:int"
_SPAN = f"{_WALK} oldest latest inclusive:bool include_all_metadata:bool"
_WALKED = f"query! action_token after:int before:int channel_types:list content_types:list {_WALK} "
_TABLE = {
    "api.test": ("", "error foo"),
    "apps.connections.open": ("connections:write", ""),
    "assistant.search.context": (
        "search:read.public",
        _WALKED
        + "context_channel_id disable_semantic_search:bool highlight:bool include_archived_channels:bool "
        "include_bots:bool include_context_messages:bool include_deleted_users:bool "
        "include_message_blocks:bool modifiers sort sort_dir term_clauses:list keywords_clauses:json",
    ),
    "auth.revoke": ("", "test:bool"),
    "auth.test": ("", ""),
    "bookmarks.list": ("bookmarks:read", "channel_id!"),
    "canvases.access.set": ("canvases:write", "canvas_id! access_level! channel_ids:list user_ids:list"),
    "canvases.create": ("canvases:write", "title document_content:json channel_id"),
    "canvases.delete": ("canvases:write", "canvas_id!"),
    "canvases.edit": ("canvases:write", "canvas_id! changes:json!"),
    "canvases.getContent": ("canvases:read", "canvas_id! content_type"),
    "canvases.sections.lookup": ("canvases:read", "canvas_id! criteria:json!"),
    "chat.delete": ("chat:write", "channel! ts! as_user:bool"),
    "chat.deleteScheduledMessage": ("chat:write", "channel! scheduled_message_id! as_user:bool"),
    "chat.getPermalink": ("", "channel! message_ts!"),
    "chat.postMessage": (
        "chat:write",
        f"channel! {_POST} client_msg_id container_id current_draft_last_updated_ts username {_APPS}",
    ),
    "chat.scheduleMessage": (
        "chat:write",
        f"channel! post_at:int! {_SAID} {_SENT}",
    ),
    "chat.scheduledMessages.list": ("", f"channel {_WALK} latest oldest team_id"),
    "chat.update": (
        "chat:write",
        f"channel! ts! {_SAID} file_ids:list reply_broadcast:bool unfurled_attachments:json",
    ),
    "conversations.archive": ("*:manage", "channel!"),
    "conversations.create": ("*:manage", "name! is_private:bool team_id"),
    "conversations.history": ("*:history", f"channel! {_SPAN}"),
    "conversations.info": ("*:read", "channel! include_locale:bool include_num_members:bool"),
    "conversations.invite": ("*:manage|*:write.invites", "channel! users:list! force:bool"),
    "conversations.join": ("channels:join / channels:write", "channel!"),
    "conversations.leave": ("*:manage", "channel!"),
    "conversations.list": ("*:read", f"{_WALK} exclude_archived:bool team_id types:list"),
    "conversations.mark": ("*:manage", "channel! ts!"),
    "conversations.members": ("*:read", f"channel! {_WALK}"),
    "conversations.open": ("*:manage", "channel prevent_creation:bool return_im:bool users:list"),
    "conversations.rename": ("*:manage", "channel! name!"),
    "conversations.replies": ("*:history", f"channel! ts! {_SPAN}"),
    "conversations.setPurpose": ("*:manage|*:write.topic", "channel! purpose!"),
    "conversations.setTopic": ("*:manage|*:write.topic", "channel! topic!"),
    "conversations.unarchive": ("*:manage", "channel!"),
    "files.completeUploadExternal": (
        "files:write",
        "files:json! blocks:json channel_id channels:list initial_comment thread_ts username",
    ),
    "files.getUploadURLExternal": ("files:write", "filename! length:int! alt_txt snippet_type"),
    "files.info": ("files:read", f"file! count:int page:int {_WALK}"),
    "files.list": (
        "files:read",
        "channel count:int page:int show_files_hidden_by_limit:bool team_id ts_from ts_to types user",
    ),
    "oauth.v2.access": (
        "",
        "client_id client_secret code code_verifier grant_type redirect_uri refresh_token",
    ),
    "pins.list": ("pins:read", "channel!"),
    "reactions.add": ("reactions:write", "channel! name! timestamp!"),
    "reactions.get": ("reactions:read", "channel file file_comment full:bool timestamp"),
    "reactions.remove": ("reactions:write", "name! channel file file_comment timestamp"),
    "search.messages": (
        "- / search:read",
        "query! count:int cursor highlight:bool page:int sort sort_dir team_id",
    ),
    "team.info": ("team:read", "team domain include_slackbot_availability:bool"),
    "usergroups.list": (
        "usergroups:read",
        "include_count:bool include_disabled:bool include_users:bool team_id",
    ),
    "usergroups.users.list": ("usergroups:read", "usergroup! include_disabled:bool team_id"),
    "users.conversations": ("*:read", f"{_WALK} exclude_archived:bool team_id types:list user"),
    "users.info": ("users:read", "user! include_locale:bool"),
    "users.list": ("users:read", f"{_WALK} include_locale:bool team_id"),
    "users.lookupByEmail": ("users:read.email", "email!"),
}


@dataclass(frozen=True)
class Argument:
    kind: str
    required: bool


@dataclass(frozen=True)
class Method:
    """Attributes: bot, user: The alternatives of scopes; `None` where that kind of token is not let in."""

    name: str
    bot: tuple[str, ...] | None
    user: tuple[str, ...] | None
    arguments: dict[str, Argument]


def _scopes(text: str) -> tuple[str, ...] | None:
    return None if text == "-" else tuple(one for one in text.split("|") if one)


@cache
def methods() -> dict[str, Method]:
    """Every method that the fake knows, by name."""
    made: dict[str, Method] = {}
    for name, (scopes, row) in _TABLE.items():
        bot, _, user = scopes.partition(" / ")
        arguments: dict[str, Argument] = {}
        for one in row.split():
            word, _, kind = one.rstrip("!").partition(":")
            arguments[word] = Argument(kind or "string", one.endswith("!"))
        made[name] = Method(name, _scopes(bot), _scopes(user or bot), arguments)
    return made
