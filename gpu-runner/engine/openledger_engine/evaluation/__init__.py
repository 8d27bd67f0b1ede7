"""How an adapter compares with its base: losses, choices, intervals, and what it has forgotten."""
