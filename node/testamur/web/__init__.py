"""Pages for people. The verify page and the explorer will live here."""
