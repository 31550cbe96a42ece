"""The audit log: who did what to which object, from where. Entries are added, and never changed."""
