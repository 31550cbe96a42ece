"""LLM providers, whose keys never leave again, and the model configs that chats name. No
provider is called from here."""
