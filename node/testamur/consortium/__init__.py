"""The other members. Replication, checkpoints and witnessing will live here."""
