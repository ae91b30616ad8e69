# Applied once, by a person: the bucket that keeps the state of the other configurations. Its own
# state is in this folder; if that is lost, `terraform import module.bucket.aws_s3_bucket.this NAME`.

terraform {
  required_version = ">= 1.10" # the lock in the bucket; OpenTofu from 1.10 on, too

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  default_tags {
    tags = {
      project    = local.settings.project
      owner      = local.settings.owner
      source     = local.settings.repository
      managed-by = "terraform"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  settings = yamldecode(file("${path.module}/../settings.yaml"))
}

module "bucket" {
  source = "../modules/bucket"

  name      = "${local.settings.project}-state-${data.aws_caller_identity.current.account_id}"
  keep_days = 365
}

output "backend" {
  description = "The content of ../backend.hcl."
  value       = <<-END
    bucket       = "${module.bucket.name}"
    region       = "${data.aws_region.current.name}"
    encrypt      = true
    use_lockfile = true
  END
}
