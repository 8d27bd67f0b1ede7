"""retrieval-0: passages for a prompt, ranked and paid in integers. Specified in docs/spec/retrieval-0.md."""
