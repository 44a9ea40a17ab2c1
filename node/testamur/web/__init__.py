"""Pages for people: the verify page and what it loads. The explorer will live here."""
