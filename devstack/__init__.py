"""Everything around the pair that a fresh machine lacks, built to be replaced by the real parts."""
