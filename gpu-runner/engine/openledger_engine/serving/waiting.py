"""Requests that wait: one queue for each adapter, served in turn, so that a busy adapter doesn't starve the others."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from .sequence import Sequence


class WaitingRequests:
    def __init__(self) -> None:
        self._queues: OrderedDict[str | None, deque[Sequence]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, sequence: Sequence) -> None:
        self._queues.setdefault(sequence.adapter, deque()).append(sequence)
        self._size += 1

    def next_in_turn(self) -> list[Sequence]:
        """The oldest request of each adapter, in the order of their turns."""
        return [queue[0] for queue in self._queues.values()]

    def remove(self, sequence: Sequence) -> None:
        """Takes a request out; its adapter's next turn comes after all the others'."""
        queue = self._queues[sequence.adapter]
        queue.remove(sequence)
        self._size -= 1
        if queue:
            self._queues.move_to_end(sequence.adapter)
        else:
            del self._queues[sequence.adapter]

    def take_where(self, condition: Callable[[Sequence], bool]) -> list[Sequence]:
        """Removes and returns all for which the condition holds; turns stay as they are."""
        taken = []
        for adapter, queue in list(self._queues.items()):
            going = [sequence for sequence in queue if condition(sequence)]
            if not going:
                continue
            taken += going
            kept = deque(sequence for sequence in queue if not condition(sequence))
            if kept:
                self._queues[adapter] = kept
            else:
                del self._queues[adapter]
        self._size -= len(taken)
        return taken
