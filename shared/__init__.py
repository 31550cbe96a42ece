"""What gateway and agent bridge both speak or need, and nothing else."""
