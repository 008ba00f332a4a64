"""Opening a page for whoever started the service by hand."""

import os
import sys
import webbrowser


def open_page(address: str) -> bool:
    """Open a page in the person's browser. False, and nothing done, where there is none to see it:
    no terminal, no screen, or CI."""
    if not sys.stdout.isatty() or os.environ.get("CI") or not _has_screen():
        return False
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


def _has_screen() -> bool:
    """Without one Python would start a browser inside the terminal, over what was printed."""
    if sys.platform == "darwin" or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
