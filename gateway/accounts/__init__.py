"""Users: registration, login, tokens, profiles, and how often one may try. Who a caller is, is
found in `web`."""
