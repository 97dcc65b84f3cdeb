"""Why this answer: what each unit, map and cell of every layer contributes to a class's logit."""
