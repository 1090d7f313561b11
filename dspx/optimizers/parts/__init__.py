"""The pure pieces that optimizers share: no I/O, no language model, no clock."""
