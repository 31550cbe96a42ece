"""The differences of each area, with the contract's sentences that want them."""
