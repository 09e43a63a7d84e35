"""The processes of a show: a supervisor, the renderer, and each output in one of its own, with frames in shared memory.

Whatever dies, the audience keeps its picture. Knows no instrument: what the renderer does is handed in. Source: SURFACE.md O.1.
"""
