"""Base models, adapters and generation."""
