"""Serve one correct variant of the proxy: as `python tests/mutants VARIANT`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

if __name__ == "__main__":
    from mutants.__main__ import main

    sys.exit(main())
