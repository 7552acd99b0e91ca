"""`python -m toolbridge_harness` is the `toolbridge` command."""

from toolbridge_harness.entry import main

if __name__ == "__main__":
    main()
