"""HTTP, storage of live data, the environment and the command line."""
