"""The way to Redis, whichever kind there is: a server, one that Sentinels name, or a Cluster."""
