from app.cnn.card import Card
from app.opening.unusable import UnusableModel


def complete_card(told, guessed):
    try:
        return Card.model_validate_json(__import__("json").dumps({**guessed.model_dump(mode="json"), **told}))
    except ValueError as e:
        raise UnusableModel("bad card") from e
