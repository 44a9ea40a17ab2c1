"""``python -m testamur``: the same command, where its script is not on the path."""

from testamur.bootstrap import main

main()
