"""Word of what has changed among a user's things, for pages that show them. Not what they are."""
