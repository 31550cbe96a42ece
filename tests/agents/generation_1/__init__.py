"""An agent on genai-protocol 1.0.x, in this project's environment."""
