"""Agents, flows and model configs that users publish, as A2A agents for programs of others
(https://a2a-protocol.org). Those that users add themselves are in `a2a`."""
