"""The embedder that a setting names."""

import re
from pathlib import Path

from ringmain_core.errors import ConfigurationError
from ringmain_core.upstream.guards import Guards
from ringmain_vector.embedders.base import Embedder
from ringmain_vector.settings import VectorSettings

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def embedder_of(settings: VectorSettings, guards: Guards) -> Embedder:
    """The embedder of the settings; it is loaded when first used.

    Raises:
        ConfigurationError: Where there is no such kind of embedder, or something is missing in its name.
    """
    kind, _, rest = settings.embedder.partition(":")
    match kind, rest:
        case "minilm", _:
            from ringmain_vector.embedders.minilm import MiniLm

            return MiniLm(*_file(rest)) if rest else MiniLm()
        case "openai", _ if "@" in rest:
            from ringmain_vector.embedders.openai_compatible import OpenAiCompatible, trouble

            model, _, url = rest.rpartition("@")
            guard = guards.guard("embedder", trouble, at_once=settings.at_once)
            timeout = settings.request_timeout
            return OpenAiCompatible(url, model, settings.embedder_key, guard, timeout=timeout)
        case "fastembed", _ if rest:
            from ringmain_vector.embedders.fast_embed import FastEmbed

            model, _, folder = rest.partition("@")
            return FastEmbed(model, Path(folder).expanduser() if folder else None)
        case "hash", "":
            from ringmain_vector.embedders.hashed import HashEmbedder

            return HashEmbedder()
        case _:
            raise ConfigurationError(
                f"RINGMAIN_VECTOR_EMBEDDER: there is no embedder `{settings.embedder[:80]}`; there are "
                "minilm, minilm:/model.onnx, openai:<model>@https://host/v1, fastembed:<model>@/folder "
                "and hash."
            )


def _file(given: str) -> tuple[Path, str]:
    """A path, and after a `#` the SHA-256 that the file is checked by."""
    path, mark, sha256 = given.partition("#")
    if mark and not _SHA256.fullmatch(sha256):
        raise ConfigurationError("RINGMAIN_VECTOR_EMBEDDER: after `#` stands a whole SHA-256.")
    return Path(path).expanduser(), sha256
