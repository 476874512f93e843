"""What a model can do: search, read around what it found, see what there is, add and delete."""

from ringmain_core.declarations import Tool
from ringmain_vector.settings import VectorSettings
from ringmain_vector.tools import reading, search, writing

TOOLS: tuple[Tool, ...] = (*search.TOOLS, *reading.TOOLS)
WRITES: tuple[Tool, ...] = writing.TOOLS


def tools_for(settings: VectorSettings) -> tuple[Tool, ...]:
    """The tools that change something, where the settings want them."""
    if settings.writes is not None:
        return WRITES if settings.writes else ()
    kind = "edge" if settings.store is None else settings.store.get_secret_value().partition(":")[0]
    return WRITES if kind in ("edge", "embedded-pg", "memory") else ()
