"""What both services speak or need, and what brings their database up to date. Nothing that only
one of them does."""
