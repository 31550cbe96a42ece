"""Sign-ins: how each begins, is renewed and ends, and what is over for all gateways at once."""
