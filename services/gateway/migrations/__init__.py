"""The history of the schema, replayed at boot."""
