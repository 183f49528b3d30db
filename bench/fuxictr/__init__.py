"""FuxiCTR as the peer: its own environment, its own layers, optimiser, training loop and loader."""
