"""How a route reads, answers and fails, and who calls it; it knows no resource."""
