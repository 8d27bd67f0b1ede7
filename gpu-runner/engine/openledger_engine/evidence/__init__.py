"""evidence-0: the integer-only layer that decides who is paid. Specified in docs/spec/evidence-0.md."""
