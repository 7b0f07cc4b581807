"""What the federation's validator and slapd ask of a tree, by rule, and what is set aside because of it.

Rules named E, W and I are those of glue-validator with the numbers that it reports; K are ours: what slapd refuses,
what breaks the readers' own processing, keys that lead nowhere. E and K are errors.
"""
