"""What really happened, and what the simulated years of a plan say, as findings."""
