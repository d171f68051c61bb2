"""What the simulation and the chain formula say about each lever."""
