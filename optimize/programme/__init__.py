"""Linear programmes: labelled arrays, emitters, and the one place where a solver is called."""
