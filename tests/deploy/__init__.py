"""What `deploy/` promises: charts and units as they are when they run, rules on recorded series."""
