"""Updates of the template: what they bring, what they may not lose, what they leave unfinished."""
