"""What a node keeps: the interface with its guarantees, the SQL store, batch files."""
