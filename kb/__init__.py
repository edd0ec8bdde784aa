"""Articles, macros and search: what a desk knows, and the answers found in it."""
