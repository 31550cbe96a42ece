"""Asking agents, flows, tools and A2A agents themselves by REST, and waiting for their answers."""
