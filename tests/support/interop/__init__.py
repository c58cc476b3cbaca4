"""Independent clients and their environments; none of them is a dependency of the project."""
