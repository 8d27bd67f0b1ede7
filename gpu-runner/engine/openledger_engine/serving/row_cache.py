"""Keys and values of a batch whose rows have different lengths and come and go between forward passes.

Row r holds its tokens at columns 0..lengths[r]-1 of buffers that are allocated ahead: a pass writes each row's new
keys behind its old ones, nothing is shifted and nothing is concatenated. A model sees the columns up to the longest
row; the mask hides what a shorter row doesn't have. transformers' models use it as their cache.
"""

from __future__ import annotations

from typing import Any

from ..runtime import torch_module

COLUMNS = 64  # buffers grow by at least so many columns, so that they don't grow in every pass


class RowCache:
    def __init__(self, device: Any) -> None:
        self._device = device
        self._layers: list[tuple[Any, Any]] = []  # [rows, heads, columns, width] of keys and of values
        self._rows = self._columns = 0
        self.lengths: list[int] = []
        self._tokens = 0  # new ones of each row in the pass under way
        self._at: tuple[Any, Any] | None = None  # row and column of each new token, when the rows differ

    def begin(self, tokens: int) -> None:
        """The next pass brings so many tokens for every row; more than one only when all rows are equally long."""
        self._tokens = tokens
        even = len(set(self.lengths)) == 1
        assert even or tokens == 1, "rows of different lengths advance by one token"
        self._reserve(len(self.lengths), max(self.lengths) + tokens)
        torch = torch_module()
        self._at = None if even else (torch.arange(len(self.lengths), device=self._device), self.positions()[:, 0])

    def end(self) -> None:
        self.lengths = [length + self._tokens for length in self.lengths]

    def positions(self) -> Any:
        """Of the new tokens: [rows, tokens]."""
        torch = torch_module()
        starts = torch.tensor(self.lengths, device=self._device)
        return starts[:, None] + torch.arange(max(self._tokens, 1), device=self._device)

    def mask(self) -> Any:
        """[rows, columns], true where a row has a token after this pass; None when all rows have all of them."""
        if self._at is None:
            return None
        columns = torch_module().arange(max(self.lengths) + self._tokens, device=self._device)
        return columns < self.positions()[:, -1:] + 1

    def add_rows(self, rows: int) -> None:
        self.lengths += [0] * rows

    def take(self, other: RowCache, row: int) -> None:
        """Copies a row of another cache in as the last row."""
        length = other.lengths[row]
        self.lengths.append(length)
        if not self._layers:
            self._layers = [(keys[:0], values[:0]) for keys, values in other._layers]
        self._reserve(len(self.lengths), length)
        for ours, theirs in zip(self._layers, other._layers, strict=True):
            for mine, its in zip(ours, theirs, strict=True):
                mine[len(self.lengths) - 1, :, :length] = its[row, :, :length]

    def drop(self, row: int) -> None:
        """The last row takes the place of the dropped one."""
        last = len(self.lengths) - 1
        length = self.lengths[last]
        if row != last:
            for pair in self._layers:
                for buffer in pair:
                    buffer[row, :, :length] = buffer[last, :, :length]
        self.lengths[row] = length
        self.lengths.pop()

    def _reserve(self, rows: int, columns: int) -> None:
        if rows <= self._rows and columns <= self._columns:
            return
        if rows > self._rows:
            self._rows = max(rows, self._rows * 5 // 4)
        if columns > self._columns:
            self._columns = max(columns + COLUMNS, self._columns * 5 // 4)

        def grown(buffer: Any) -> Any:
            _, heads, _, width = buffer.shape
            made = buffer.new_zeros((self._rows, heads, self._columns, width))
            made[: buffer.shape[0], :, : buffer.shape[2]] = buffer
            return made

        self._layers = [(grown(keys), grown(values)) for keys, values in self._layers]

    # What transformers' models and masks ask a cache for.

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        if layer == len(self._layers):

            def empty(new: Any) -> Any:
                return new.new_zeros((self._rows, new.shape[1], self._columns, new.shape[3]))

            self._layers.append((empty(keys), empty(values)))
        rows, end = len(self.lengths), max(self.lengths) + self._tokens
        seen = []
        for buffer, new in zip(self._layers[layer], (keys, values), strict=True):
            if self._at is None:
                buffer[:rows, :, end - self._tokens : end] = new
            else:
                buffer[self._at[0], :, self._at[1]] = new[:, :, 0]
            seen.append(buffer[:rows, :, :end])
        return seen[0], seen[1]

    def get_seq_length(self, _: int = 0) -> int:
        return max(self.lengths, default=0)

    def get_query_offset(self, _: int = 0) -> int:
        return self.get_seq_length()

    def get_mask_sizes(self, tokens: int, _: int = 0) -> tuple[int, int]:
        """Columns that the model sees, and where they begin."""
        return self.get_seq_length() + tokens, 0
