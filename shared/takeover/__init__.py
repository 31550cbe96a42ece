"""Taking over an existing installation of the original: its database, keys, tokens and files."""
