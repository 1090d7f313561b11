"""Ways of asking. `Predict` is the only leaf that asks a language model; the others are made of it."""
