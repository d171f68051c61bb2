"""The closed loop: solve, simulate, correct, accept what the simulation confirms."""
