"""The requests that this bridge answers, from claim to end. Not how the router carries them."""
