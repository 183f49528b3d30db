"""External distillation: losses, gradient scaling, the student adapter, and the training step."""
