"""Redis as operators have it: of several versions, with Sentinels, as a Cluster."""
