"""One script per question; method and results stand in README.md, what was tried and lost in LOG.md."""
