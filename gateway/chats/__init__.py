"""Chats: their history, and the socket where messages come in and frames go out. How a message
is answered is the bridge's business."""
