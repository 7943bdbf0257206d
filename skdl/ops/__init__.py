"""Pure array functions, in forward and backward pairs.

Every function takes `out=` (and `work=` where it needs scratch memory) so that a
warmed-up training step allocates nothing.
"""
