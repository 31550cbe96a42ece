"""An agent on genai-protocol 2.0.x, in an environment of its own."""
