"""The data augmentation service: snapshots of the foundation model, and the scorer that logs their labels."""
