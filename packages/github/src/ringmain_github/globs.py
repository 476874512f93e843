"""Patterns for paths of files, as people write them for git and editors."""

from fnmatch import fnmatchcase


def fits(path: str, glob: str) -> bool:
    """Whether a path fits: `*.py` at any depth; with a slash from the root, where `**` is any folders."""
    if "/" not in glob:
        return fnmatchcase(path.rpartition("/")[2], glob)
    parts, patterns = path.split("/"), glob.strip("/").split("/")
    reached = {0}  # how many parts of the path the pattern so far may stand for
    for number, pattern in enumerate(patterns, start=1):
        if pattern == "**":  # at the end it is what is inside of a folder, not the folder
            least = min(reached) + (number == len(patterns))
            reached = set(range(least, len(parts) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(parts) and fnmatchcase(parts[at], pattern)}
        if not reached:
            return False
    return len(parts) in reached
