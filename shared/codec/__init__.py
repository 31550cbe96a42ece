"""JSON in and out: strict rules where it comes in, the contract's formats where it goes out. No
classes of the domain."""
