"""`python -m gateway.admin` runs the command."""

from gateway.admin.app import app

if __name__ == "__main__":
    app(prog_name="python -m gateway.admin")
