"""From an issued artefact to a digest, and from a digest to a commitment. Pure: no I/O."""
