"""Agent flows: several members that are called as one."""
