"""The front door: REST, documentation and the front-ends' WebSockets."""
