"""The parts, as administrators are told of them."""
