"""What the tests share: slow references, simulators, real processes."""
