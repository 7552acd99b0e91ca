"""The subcommands of `toolbridge`, one module each."""
