"""Alembic's scripts; they run by themselves whenever a store is opened."""
