"""The life of a process: its server, its loops, its health, and how it goes down. Nothing of the
domain."""
