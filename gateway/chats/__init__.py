"""Chats: their history, and the socket where messages come in and frames go out."""
