"""`python -m app.training` trains the family."""

import typer

from app.training.command import train

if __name__ == "__main__":
    typer.run(train)
