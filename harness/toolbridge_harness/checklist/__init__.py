"""The deployment guide's check lists: rows, what answers them, and how they are printed."""
