"""``python -m quotalab``."""

from quotalab.cli import main

if __name__ == "__main__":
    main()
