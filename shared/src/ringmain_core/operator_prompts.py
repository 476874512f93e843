"""Prompts that an operator writes: Markdown files with placeholders."""

import inspect
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringmain_core.connector import AnyConnector
from ringmain_core.declarations import Prompt
from ringmain_core.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HEAD = re.compile(r"\A\+\+\+\n(.*?)^\+\+\+\n", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{[ \t]*([^{}\n]*?)[ \t]*\}\}")
_ARGUMENT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MOST_BYTES = 64 * 1024


class _Argument(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    default: str | None = None


class _Head(BaseModel):
    """What may stand between `+++` lines at the beginning of the file, in TOML."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    description: str = ""
    arguments: dict[str, _Argument] = {}


def read_prompts(folder: Path, connector: AnyConnector) -> tuple[Prompt, ...]:
    """The prompts in a folder, in the order of their names.

    A file `weekly-report.md` becomes the prompt `weekly-report`. Every `{{placeholder}}` is an argument of
    that name. Between two `+++` lines at its beginning TOML may give `title`, `description`, and for
    arguments a `description` and a `default`, which makes one optional. Else the first heading is the title.

    Raises:
        ConfigurationError: With file and reason, where one cannot be used.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: there is no such folder for prompts (RINGMAIN_PROMPTS_DIR)")
    own = {prompt.name for prompt in connector.prompts}
    prompts: dict[str, Prompt] = {}
    for path in sorted([*folder.glob("*.md"), *(folder / connector.name).glob("*.md")]):
        prompt = _read(path)
        if prompt.name in own or prompt.name in prompts:
            whose = f"{connector.distribution} has one" if prompt.name in own else "another file has it"
            raise ConfigurationError(f"{path}: there is a prompt {prompt.name!r} already: {whose}")
        prompts[prompt.name] = prompt
    return tuple(prompts[name] for name in sorted(prompts))


def _read(path: Path) -> Prompt:
    if _NAME.fullmatch(path.stem) is None:
        raise ConfigurationError(f"{path}: a prompt's file name has small letters, digits, `-` and `_` only")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(f"{path}: larger than {_MOST_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ConfigurationError(f"{path}: cannot be read: {reason}") from error
    found = _HEAD.match(text)
    head = _parse_head(path, found[1]) if found else _Head()
    body = (text[found.end() :] if found else text).strip()
    if not body:
        raise ConfigurationError(f"{path}: there is no text in it")
    return _prompt(path, head, body)


def _parse_head(path: Path, toml: str) -> _Head:
    try:
        return _Head.model_validate(tomllib.loads(toml))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML between the `+++` lines: {error}") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        keys = ".".join(str(part) for part in fault["loc"])
        raise ConfigurationError(f"{path}: {keys}: {fault['msg']}") from error


def _prompt(path: Path, head: _Head, body: str) -> Prompt:
    names = list(dict.fromkeys(_PLACEHOLDER.findall(body)))
    for name in names:
        if _ARGUMENT.fullmatch(name) is None:
            raise ConfigurationError(
                f"{path}: `{{{{{name}}}}}` is no placeholder: small letters, digits and `_` name an argument"
            )
    unused = [name for name in head.arguments if name not in names]
    if unused:
        raise ConfigurationError(f"{path}: arguments.{unused[0]}: the text has no {{{{{unused[0]}}}}}")
    heading = _HEADING.search(body)
    title = head.title or (
        heading[1] if heading else path.stem.replace("-", " ").replace("_", " ").capitalize()
    )
    described = {name: head.arguments.get(name, _Argument()) for name in names}
    return Prompt(
        function=_Template(body, described),
        name=path.stem,
        title=title,
        access="read",
        description=head.description or title,
    )


class _Template:
    """A text with placeholders, callable like a declared function: its arguments are the placeholders."""

    def __init__(self, body: str, arguments: dict[str, _Argument]) -> None:
        self._body = body
        self.__name__ = "prompt"
        self.__annotations__ = {
            name: Annotated[str, Field(description=argument.description)] if argument.description else str
            for name, argument in arguments.items()
        }
        parameters = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if argument.default is None else argument.default,
            )
            for name, argument in arguments.items()
        ]
        self.__signature__ = inspect.Signature(parameters)

    async def __call__(self, **values: Any) -> str:
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self._body)
