"""What is measured about a model, one noun a file; `weights.evaluate` puts it together."""
