"""Users' files and those that agents make for them, streamed into a storage and out of it. No
file is in memory as a whole, and none in PostgreSQL."""
