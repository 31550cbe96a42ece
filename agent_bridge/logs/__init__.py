"""What agents log: redacted, stored in batches, told. Not how it is heard."""
