"""The room's second protocol: Open Inference Protocol v2 over the same models."""
