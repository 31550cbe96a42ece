"""`python -m gateway.admin`: what operators do and see, on the database and beside running
services. A module for each noun has its commands; what they do is in `work/`, which is loaded when
one is run."""
