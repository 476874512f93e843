"""To be written."""

TOOLS = ()
