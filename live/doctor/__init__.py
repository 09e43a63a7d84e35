"""What a machine lacks for a show, and the command that mends it: facts are read in machine.py and judged in diagnosis.py."""
