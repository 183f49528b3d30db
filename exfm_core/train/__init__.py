"""Training: feeds, trainers of vertical and foundation models, checkpoints, and the child process."""
