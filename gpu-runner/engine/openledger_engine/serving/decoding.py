"""From token ids to text while they come: whole characters only, and never past a stop string."""

from __future__ import annotations

from collections.abc import Callable


class TextStream:
    """Turns growing token ids into pieces whose concatenation is the final text."""

    def __init__(self, decode: Callable[[list[int]], str], stop: tuple[str, ...]) -> None:
        self._decode = decode
        self._stop = tuple(filter(None, stop))
        self._sent = 0
        self.ids: list[int] = []
        self.text = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Adds a token; returns what can be told now. Sets `stopped` when a stop string is complete."""
        self.ids.append(token)
        self.text = self._decode(self.ids)
        # Only from the told part on: an earlier stop string would have ended the stream.
        found = [at for at in (self.text.find(s, self._sent) for s in self._stop) if at >= 0]
        if found:
            self.text = self.text[: min(found)]
            self.stopped = True
            return self._tell(len(self.text))
        # A replacement character at the end may be the first bytes of a character that is still coming.
        whole = len(self.text.rstrip("\ufffd"))
        return self._tell(min(whole, len(self.text) - self._pending()))

    def finish(self) -> str:
        """The rest, when generation ends without a stop string."""
        return self._tell(len(self.text))

    def _pending(self) -> int:
        """Length of the longest end of the text that a stop string begins with."""
        longest = max(map(len, self._stop), default=0)
        for length in range(min(longest - 1, len(self.text)), 0, -1):
            if any(s.startswith(self.text[-length:]) for s in self._stop):
                return length
        return 0

    def _tell(self, end: int) -> str:
        piece = self.text[self._sent : end]
        self._sent = max(self._sent, end)
        return piece
