"""The parts of the programme: each adds its columns, rows and gains."""
