"""What each vendor promised, and the vocabulary for saying it."""
