"""From token ids to text while they come: whole characters only, and never past a stop string."""

from __future__ import annotations

from collections.abc import Callable


class TextStream:
    """Turns growing token ids into pieces whose concatenation is the final text.

    Only the latest tokens are decoded again: those since the text last ended in a whole character, and as context the
    ones before them, because a tokenizer may decode a token differently at the start of a text.
    """

    def __init__(self, decode: Callable[[list[int]], str], stop: tuple[str, ...]) -> None:
        self._decode = decode
        self._stop = tuple(filter(None, stop))
        self._sent = 0
        self._settled = ""  # the text of all ids before `_from`
        self._from = 0
        self._context: list[int] = []
        self.ids: list[int] = []
        self.text = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Adds a token; returns what can be told now. Sets `stopped` when a stop string is complete."""
        self.ids.append(token)
        before = self._decode(self._context) if self._context else ""
        self.text = self._settled + self._decode(self._context + self.ids[self._from :])[len(before) :]
        if not self.text.endswith("\ufffd"):
            self._settled, self._context, self._from = self.text, self.ids[self._from :], len(self.ids)
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
