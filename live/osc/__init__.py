"""Open Sound Control: addresses, packets, what is told to listeners, OSCQuery. The socket itself is in live/controls/osc.py."""
