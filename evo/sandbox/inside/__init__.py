"""What runs inside the sandbox. Standard library only, and nothing of evo: it must import in an empty environment."""
