"""One module a schema version, numbered, never changed after a release."""
