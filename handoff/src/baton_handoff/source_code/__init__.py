"""Reading Python modules and notebooks without running them."""
