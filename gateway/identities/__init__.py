"""Signing in by providers of OpenID Connect: who vouches for whom, and what their tokens open."""
