"""From an uploaded file to text, to a verdict and a score. Nothing here imports torch."""
