"""Tools as functions of OpenAI, Anthropic and Gemini, and the calls that come back.

No provider's library is needed: requests and answers are JSON, or what a library makes of it.
"""

from ringmain_core.adapters.exporting import DIALECTS, exported
from ringmain_core.adapters.in_process import in_process
from ringmain_core.adapters.toolset import Toolset, toolset

__all__ = ["DIALECTS", "Toolset", "exported", "in_process", "toolset"]
