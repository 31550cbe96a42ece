"""What answers of the master agent have used of language models, and what that costs."""
