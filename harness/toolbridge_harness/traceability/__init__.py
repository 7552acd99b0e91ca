"""Which requirement of a specification is tested by which check, and why some by none."""
