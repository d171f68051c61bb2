"""Simple rules to beat, each a complete plan."""
