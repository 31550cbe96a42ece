"""What users have used of language models, and their budgets."""
