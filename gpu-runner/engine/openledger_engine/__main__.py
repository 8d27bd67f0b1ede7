"""`python -m openledger_engine`: the process that the gpu-runner starts."""

from __future__ import annotations

import os
import sys

from .runtime import limit_memory, prepare_environment


def main() -> None:
    # Frames get descriptors of their own; whatever a library prints to stdout, from C too, goes to stderr.
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    prepare_environment()
    limit_memory()

    from .frames import MalformedFrame
    from .methods import load_methods
    from .server import Server

    load_methods()
    code = 0
    try:
        Server(source, sink).serve()
    except MalformedFrame as error:
        print(f"protocol broken: {error}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        code = 0  # the runner is gone, and with it everybody who wanted an answer
    sys.stderr.flush()
    # A training step may still run in its thread after a malformed frame: nothing is left that would want its result.
    os._exit(code)


if __name__ == "__main__":
    main()
