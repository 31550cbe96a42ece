"""What clients of OpenAI's API speak: models, chat completions and responses."""
