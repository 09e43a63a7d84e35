"""The neural instrument: tensors and numbers. No clock, no sockets, no windows, no prints."""
