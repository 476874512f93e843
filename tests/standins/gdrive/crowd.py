"""Many files at once, for searches and benchmarks in a drive that is not small."""

import gc
from collections.abc import Iterator

from standins.gdrive.file import Content, File, Revision
from standins.gdrive.native import FOLDER
from standins.gdrive.store import Store

_FOLDERS = 100
_MINUTE = 60.0
_TOPICS = ("budget", "roadmap", "invoice", "contract", "minutes", "design", "report", "survey")
_PLACES = ("berlin", "lisbon", "oslo", "quito", "accra", "hanoi", "turin")


def crowd(store: Store, files: int, owner: str) -> None:
    """`crowd-<number> <topic> <place>.txt` in folders `crowd folder <number>`, each a minute older."""
    home = store.people.users[owner].root
    now = store.time()
    folders = [
        File(f"crowdfolder{number:04d}", f"crowd folder {number}", FOLDER, owner, home, now, now, owner)
        for number in range(min(_FOLDERS, files))
    ]
    gc.disable()  # nothing of it is garbage, and looking for some takes half of the time
    try:
        store.fill(folders)
        store.fill(_files(files, owner, now))
    finally:
        gc.enable()


def _files(count: int, owner: str, now: float) -> Iterator[File]:
    for number in range(count):
        topic, place = _TOPICS[number % len(_TOPICS)], _PLACES[number % len(_PLACES)]
        text = f"Number {number}: the {topic} of {place}, part {number % 97}."
        then = now - _MINUTE * (number + 1)
        made = File(
            f"crowdfile{number:07d}",
            f"crowd-{number} {topic} {place}.txt",
            "text/plain",
            owner,
            f"crowdfolder{number % _FOLDERS:04d}",
            then,
            then,
            owner,
        )
        made.revisions.append(
            Revision(f"crowdrevision{number:07d}", Content(text.encode()), "text/plain", then, owner)
        )
        yield made
