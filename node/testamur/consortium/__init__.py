"""The other members: pulling their batches. Checkpoints and witnessing will live here."""
