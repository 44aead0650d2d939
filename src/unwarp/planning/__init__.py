"""Plans for training: recipes, defaults from data, and overrides.

A plan has all arguments of `train` except the data. It is made from the request of a user, from
properties of the data and from recipes that were tuned on built-in data sets.
"""
