"""The brief of a notebook: the work list of the ML engineer who brings it to production."""
