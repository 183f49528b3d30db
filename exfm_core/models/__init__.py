"""Models: embedding tables, interactions, backbones, the vertical model and the foundation model."""
