"""The command `install`: shows what it would write into a client's file, asks, and writes it."""

import difflib
import os
import re
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ringmain_core.clients.backups import Backups
from ringmain_core.clients.catalogue import CLIENTS, Client
from ringmain_core.clients.computer import Computer
from ringmain_core.clients.diff import changes
from ringmain_core.clients.file import Changed, Found, read, replace
from ringmain_core.clients.plan import entry_in, strings_in, with_entry, without_entry
from ringmain_core.clients.settings import state_folder
from ringmain_core.clients.variables import Setting, harmless, secret_folder
from ringmain_core.clients.wanted import SecretFile, Wanted, checked_url, known_settings, wanted
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError

_DONE, _NOT_DONE, _MISCONFIGURED = 0, 1, 2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ATTEMPTS = 3


@dataclass(frozen=True)
class Person:
    """Whoever sits at the terminal.

    Attributes:
        ask: Puts a question; `None` where nobody can answer.
        ask_secretly: Puts a question whose answer is not shown.
    """

    say: Callable[[str], None]
    ask: Callable[[str], str] | None = None
    ask_secretly: Callable[[str], str] | None = None


def run_install(connector: AnyConnector, options: Namespace, computer: Computer, person: Person) -> int:
    """Set a connector up in a client, or remove it there, and return the exit status.

    Raises:
        ConfigurationError: Where options or files cannot be used; nothing was written then.
    """
    name = options.name or connector.distribution
    if not _NAME.fullmatch(name):
        raise ConfigurationError("--name: use up to 64 letters, digits, `-` and `_`, a letter or digit first")
    if options.client is None:
        return _list(connector, name, computer, person)
    client = CLIENTS.get(options.client)
    if client is None:
        close = difflib.get_close_matches(str(options.client), list(CLIENTS), 1)
        hint = f"did you mean {close[0]}?" if close else "without --client, all of them are listed"
        raise ConfigurationError(f"--client {options.client!r} is not known; {hint}")
    job = _Job(connector, client, name, options, computer, person)
    return job.remove() if options.remove else job.install()


def _list(connector: AnyConnector, name: str, computer: Computer, person: Person) -> int:
    rows = [(client, _state(client, name, computer)) for client in CLIENTS.values()]
    width = max(len(client.id) for client in CLIENTS.values())
    states = max(len(state) for _, (state, _) in rows)
    for client, (state, path) in rows:
        person.say(f"{client.id:<{width}}  {state:<{states}}  {path}")
    person.say(
        f"\n`{connector.distribution} install --client NAME` shows the change, and asks before it writes."
    )
    return _DONE


def _state(client: Client, name: str, computer: Computer) -> tuple[str, Path]:
    path = Path(client.file(computer, name))
    try:
        if entry_in(client, read(path, mode=0o600), name) is not None:
            return "has the entry", path
    except ConfigurationError:
        return "unusable", path
    return ("found" if _is_there(client, path, computer) else "not found"), path


def _is_there(client: Client, path: Path, computer: Computer) -> bool:
    return Path(client.mark(computer) if client.mark else path.parent).exists()


class _Job:
    """One entry in one file."""

    def __init__(
        self,
        connector: AnyConnector,
        client: Client,
        name: str,
        options: Namespace,
        computer: Computer,
        person: Person,
    ) -> None:
        self._connector, self._client, self._name = connector, client, name
        self._options, self._computer, self._person = options, computer, person
        self._url = None if options.http is None else checked_url(options.http)
        self._state = state_folder(computer)
        self._path, self._mode = self._file()
        self._written = False

    def install(self) -> int:
        want = wanted(self._connector, self._client, self._name, self._options, self._computer, self._state)
        if self._options.project is None and not _is_there(self._client, self._path, self._computer):
            self._person.say(f"{self._client.title} was not found here; its file is made all the same.")

        def planned(found: Found) -> bytes:
            return with_entry(self._client, found, self._name, self._connector.distribution, want, self._url)

        status = self._write(planned, frozenset(strings_in([want.entry, *want.inputs])))
        if status == _DONE and not self._options.dry_run:
            self._after(want)
        return status

    def remove(self) -> int:
        def planned(found: Found) -> bytes | None:
            before = self._backups(found).before(found.content or b"")
            return without_entry(
                self._client, found, self._name, self._connector.distribution, self._url, before
            )

        old: Any = entry_in(self._client, read(self._path, mode=self._mode), self._name)
        texts = _open_texts(old, known_settings(self._connector))
        status = self._write(planned, frozenset(texts))
        if self._written:
            for path in sorted(secret_folder(self._state, self._name, self._options.project).glob("*")):
                self._person.say(f"{path} stays: delete it if no other client's entry refers to it.")
        return status

    def _file(self) -> tuple[Path, int]:
        """The file that is meant, and the permissions it gets where it is new: a project's is for all."""
        if self._options.project is None:
            return Path(self._client.file(self._computer, self._name)), 0o600
        if self._client.project is None:
            able = ", ".join(client.id for client in CLIENTS.values() if client.project)
            raise ConfigurationError(f"{self._client.title} has no file for a project (these have: {able})")
        folder = Path(self._options.project).absolute()
        if not folder.is_dir():
            raise ConfigurationError(f"--project: {folder} is not a folder")
        return folder / self._client.project.format(self._name), 0o644

    def _backups(self, found: Found) -> Backups:
        return Backups(self._state / "backups", found.path)

    def _write(self, planned: Callable[[Found], bytes | None], known: frozenset[str]) -> int:
        for _ in range(_ATTEMPTS if self._options.yes else 1):
            found = read(self._path, mode=self._mode)
            content = planned(found)
            if content == found.content:
                there = "there is no such entry" if self._options.remove else "the entry is there"
                self._person.say(f"{found.path}: nothing changes, {there}.")
                return _DONE
            self._show(found, content, known)
            if self._options.dry_run:
                return _DONE
            refused = self._not_agreed()
            if refused is not None:
                return refused
            try:
                self._replace(found, content)
            except Changed:
                continue
            return _DONE
        self._person.say(
            f"{self._path} was changed by somebody else meanwhile: nothing was written. "
            f"Close {self._client.title} and run this again."
        )
        return _NOT_DONE

    def _show(self, found: Found, content: bytes | None, known: frozenset[str]) -> None:
        say = self._person.say
        say(f"{self._client.title}: {found.path}")
        after = Found(found.path, content).text
        for line in changes(found.text, after, found.path.name, self._client.form, known):
            say(f"  {line}")
        if content is None:
            say("  The file holds nothing else, and goes.")

    def _not_agreed(self) -> int | None:
        """The exit status where nobody has said yes."""
        if self._options.yes:
            return None
        if self._person.ask is None:
            self._person.say("Nothing was written: there is nobody to ask. Repeat it with `--yes`.")
            return _MISCONFIGURED
        try:
            answer = self._person.ask("Write this? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() in ("y", "yes"):
            return None
        self._person.say("Nothing was written.")
        return _NOT_DONE

    def _replace(self, found: Found, content: bytes | None) -> None:
        backups = self._backups(found)
        with backups.locked():
            if read(self._path, mode=self._mode).content != found.content:
                raise Changed
            kept = None if found.content is None else backups.keep(found.content, content or b"")
            replace(found, content)
        self._written = True
        self._person.say("Removed." if self._options.remove else "Written.")
        if kept is not None:
            self._person.say(f"The file as it was: {kept}")
        if self._options.remove:
            self._person.say(self._client.then.format(title=self._client.title))

    def _after(self, want: Wanted) -> None:
        """What is left to do, or done here and now where somebody can be asked."""
        then = [self._secret(file) for file in want.files]
        if self._written:
            then += [*want.then, self._client.then.format(title=self._client.title)]
        for line in ["Next:", *(f"- {line}" for line in then)] if then else []:
            self._person.say(line)

    def _secret(self, file: SecretFile) -> str:
        name, path = file.setting.name, file.path
        if path.exists():
            return _what_is_kept(file)
        value = file.value
        if not value and self._person.ask_secretly is not None and not self._options.yes:
            value = self._person.ask_secretly(f"{name} (not shown; Enter leaves it for later): ").strip()
        if value:
            _write_secret(path, value)
            return f"{name} is now in {path}, which only you can read."
        _private_folder(path.parent)
        return (
            f"Put {name} into the file {path}, and let only yourself read it (chmod 600). It is what the "
            f"server asks for: {file.setting.description}"
        )


def _what_is_kept(file: SecretFile) -> str:
    """Of a secret that is there already; what is set around here may be another one."""
    said = f"{file.setting.name} is what {file.path} holds."
    try:
        kept = file.path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        kept = ""
    if not file.value or kept == file.value.strip():
        return said
    return f"{said} Here it is set to something else: to use that, delete the file and run this again."


def _write_secret(path: Path, value: str) -> None:
    _private_folder(path.parent)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(value.encode() + b"\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error


def _open_texts(entry: Any, known: Mapping[str, Setting]) -> Iterator[str]:
    """What an entry holds that may be shown: no secret, whether or not one should be in it."""
    if not isinstance(entry, dict):
        return
    for key, value in cast("dict[str, Any]", entry).items():
        if key in ("env", "envs", "environment", "headers") and isinstance(value, dict):
            for name, text in cast("dict[str, Any]", value).items():
                secret = key == "headers" or (name in known and known[name].secret) or name not in known
                if isinstance(text, str) and (not secret or harmless(text) or re.search(r"\$?\{.+\}", text)):
                    yield text
        else:
            yield from strings_in(value)
