"""influence-0: how much each contribution moved an adapter towards held-out text. Specified in docs/spec/influence-0.md."""
