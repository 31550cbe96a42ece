"""What the commands do: statements about all users, and what the gateway does for one of them."""
