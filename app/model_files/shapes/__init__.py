"""What a layer makes of its inputs' shapes, and the weights that it has: Keras' rules, without Keras.

For the kinds of layer that the fast way runs, in their usual settings. All else is left to Keras, which also says best
what is wrong with settings that do not go together.
"""
