"""The foundation model over several processes: tables sharded by TorchRec, dense weights replicated, same spec."""
