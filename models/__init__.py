"""Text in, vectors and scores out: encoders, heads, bundles and their registry."""
