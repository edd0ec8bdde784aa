"""`python -m serving.cli`, the same as `frontdesk`."""

from serving.cli import main

main()
