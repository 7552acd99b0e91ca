"""What `toolbridge doctor` runs: probes from the caller outwards, and what follows from them."""
