"""Reading what agents logged. Storing it is the bridge's."""
