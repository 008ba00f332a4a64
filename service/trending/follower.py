"""Follows the rankings that an updater publishes: the replica's side."""

from service.trending.lists import Ranked


class TrendFollower:
    """The present rankings."""

    def ranked(self, window: str) -> Ranked | None:
        """Of a window; None as long as nothing was counted."""
        del window
        return None
