"""The compiled engine's outside: from a model to its tables, and from its memory to outcomes."""
