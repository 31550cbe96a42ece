"""Groups of users, and what their members let the others use."""
