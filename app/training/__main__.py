"""`python -m app.training`: train the family of models."""

import typer

from app.training.command import train

if __name__ == "__main__":
    typer.run(train)
