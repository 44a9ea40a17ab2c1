"""The node's verbs: what it does for whoever asks, without knowing how it was asked."""
