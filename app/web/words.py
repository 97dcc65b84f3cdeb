"""Words for a card's choices."""

from app.cnn.card import Answer, Fit

FITS = {
    Fit.DIGIT: "its ink, scaled and centred as MNIST's digits",
    Fit.FIT: "all of it, with a margin",
    Fit.FILL: "its middle",
    Fit.STRETCH: "all of it, stretched",
    Fit.ORIGINAL: "at its own size",
}
ANSWERS = {
    Answer.PROBABILITIES: "probabilities",
    Answer.LOGITS: "scores (logits), shown as their softmax",
    Answer.VALUES: "numbers as they are",
}
