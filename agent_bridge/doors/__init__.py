"""The agents' door to the router: who may come in, as whom, and what may pass."""
