"""Testamur: a consortium of universities testifies to micro-credentials.

The map of the package stands in ARCHITECTURE.md; the words it uses in docs/glossary.md.
"""

__version__ = "0.1.0"
