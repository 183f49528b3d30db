"""Export: the served graph alone, and a predictor that needs neither TorchRec nor the training code."""
