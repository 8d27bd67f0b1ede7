"""One model is made at a time, and the libraries that make it are imported by one thread."""

from __future__ import annotations

import threading
import types

# Libraries make a model without memory at first ("on meta"), by patching torch for the whole process while they do: what another
# thread makes meanwhile would have no memory either. And what is drawn at random has to follow its seed without a draw between.
MAKING = threading.RLock()


def transformers_module() -> types.ModuleType:
    """To be used with MAKING held: it imports itself piece by piece at first use, and two threads that do it see each other's halves."""
    with MAKING:
        import transformers

        return transformers


def peft_module() -> types.ModuleType:
    """It imports pieces of transformers."""
    with MAKING:
        import peft

        return peft
