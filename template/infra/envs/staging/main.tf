terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  backend "s3" {
    key = "staging.tfstate"
  }
}

locals {
  settings = yamldecode(file("${path.module}/../../settings.yaml"))
}

provider "aws" {
  default_tags {
    tags = {
      project     = local.settings.project
      owner       = local.settings.owner
      source      = local.settings.repository
      environment = "staging"
      managed-by  = "terraform"
    }
  }
}

data "aws_caller_identity" "current" {}

data "terraform_remote_state" "foundation" {
  backend = "s3"

  config = {
    bucket = "${local.settings.project}-state-${data.aws_caller_identity.current.account_id}"
    key    = "foundation.tfstate"
  }
}

# Staging follows the candidate: what is registered is tried here.
module "service" {
  source = "../../modules/service"

  foundation      = data.terraform_remote_state.foundation.outputs.environments["staging"]
  alias           = "candidate"
  tasks           = { min = 1, max = 2 }
  size            = { cpu = 1024, memory = 2048 }
  latency_seconds = 0.5
}

output "url" {
  value = module.service.url
}
