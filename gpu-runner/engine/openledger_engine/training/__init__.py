"""LoRA training on a causal language model, and the evaluation beside it."""
