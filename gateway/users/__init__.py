"""What administrators do with users: find them, make them administrators, lock them out."""
