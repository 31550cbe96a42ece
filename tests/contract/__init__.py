"""What the original answered, replayed against this gateway; differences have names."""
