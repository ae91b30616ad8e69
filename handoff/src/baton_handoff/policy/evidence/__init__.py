"""Evidence: results of runs, kept under the hash of everything the run depended on."""
