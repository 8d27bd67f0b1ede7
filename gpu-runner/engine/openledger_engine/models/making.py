"""One model is made at a time."""

from __future__ import annotations

import threading

# Libraries make a model without memory at first ("on meta"), by patching torch for the whole process while they do: what another
# thread makes meanwhile would have no memory either. And what is drawn at random has to follow its seed without a draw between.
MAKING = threading.RLock()
