"""Users' files and those that agents make for them."""
