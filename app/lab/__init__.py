"""The lab: a picture of any size through a short chain of poolings, convolutions and activation functions."""
