"""What runs a model file: one file a runtime, and an election of the fastest that is right."""
