"""The service that the router sees as an agent: it hears agents come, go and log, and invokes
the master agent. No front-end talks to it."""
