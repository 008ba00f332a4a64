"""Examples in JavaScript, made ready to run."""

from pathlib import Path

from tests.support import fetch, require_tool


def install(folder: Path) -> Path:
    """Fetch an example's packages, generate its code, and return its folder.

    No package runs a program of its own while it is installed.
    """
    require_tool("node")
    npm = require_tool("npm")
    fetch(npm, "ci", "--prefer-offline", "--no-audit", "--ignore-scripts", cwd=folder)
    fetch(require_tool("buf"), "generate", cwd=folder)
    return folder
