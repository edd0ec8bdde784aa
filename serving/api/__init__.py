"""HTTP resources: parse, call one service function, return."""
