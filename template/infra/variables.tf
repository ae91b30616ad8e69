variable "project" {
  description = "Begins every name below."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.project))
    error_message = "The project needs lower-case letters, digits and single dashes, beginning with a letter."
  }
}
