"""The services. An image and a network in; an exploration, prediction, comparison or inspection out."""
