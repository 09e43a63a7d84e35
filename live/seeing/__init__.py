"""What the encoder is shown in a show: a source followed in its thread, its pictures matched to frames and recorded."""
