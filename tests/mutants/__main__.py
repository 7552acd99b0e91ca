"""Serve one mutant or variant: `python tests/mutants ID`, in the environment of the real proxy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> int:
    """Apply the bug that the last argument names, then serve as the real proxy does."""
    from mutants.elsewhere import ELSEWHERE
    from mutants.table import Variant, all_mutants, all_variants
    from toolbridge_proxy import __main__ as entry

    name = sys.argv.pop()
    chosen = all_mutants().get(name) or all_variants().get(name)
    if name in ELSEWHERE:
        other = ELSEWHERE[name]
        sys.stderr.write(f"{name} is not served: {other.why}; see {', '.join(other.tests)}\n")
        return 4
    if chosen is None:
        sys.stderr.write(f"no mutant or variant is named {name!r}\n")
        return 4
    chosen.apply()
    serve = chosen.serve if isinstance(chosen, Variant) else None
    return (serve or entry.main)()


if __name__ == "__main__":
    sys.exit(main())
