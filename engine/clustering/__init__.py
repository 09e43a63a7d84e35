"""How clusters are found (correlation, or the published classifier), and the pictures to name them by."""
