"""What both services know of chats, requests, agents, flows and files. What only one of them uses
is there."""
