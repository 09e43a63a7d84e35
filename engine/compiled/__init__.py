"""What is written in C for processors: its source, what compiles and loads it, and its functions on tensors.

Nothing is imported here: the compiler may begin before torch is there.
"""
