"""How a route reads, answers and fails; it knows no resource."""
