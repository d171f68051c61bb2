"""Large allocations by prices: a dual bound, knapsacks, local search, and a small programme for the quotas."""
