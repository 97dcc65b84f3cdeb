"""Experiments over real digits: each asks one question of a network, measures, and says in a sentence what it found."""
