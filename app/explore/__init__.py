"""The services: a network and a drawing in; an exploration, prediction, comparison or inspection out."""
