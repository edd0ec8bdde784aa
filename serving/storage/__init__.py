"""Live data in SQL: decisions, suggestions, what people made of them, and API keys."""
