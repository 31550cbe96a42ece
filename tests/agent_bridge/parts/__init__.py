"""Parts of texts at a bridge."""
