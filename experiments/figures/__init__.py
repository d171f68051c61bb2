"""Pictures: what they show, and how all of them look."""
