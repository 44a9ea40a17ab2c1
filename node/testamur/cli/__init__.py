"""The command `testamur`."""
