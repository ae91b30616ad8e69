# What all environments share, and what keeps data or grants rights: applied by a person.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  backend "s3" {
    key = "foundation.tfstate"
  }
}

# Region and credentials come from the environment (AWS_REGION, AWS_PROFILE).
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

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  settings     = yamldecode(file("${path.module}/../settings.yaml"))
  project      = local.settings.project
  account      = data.aws_caller_identity.current.account_id
  region       = data.aws_region.current.name
  environments = ["staging", "production"]
}

resource "terraform_data" "settings" {
  lifecycle {
    precondition {
      condition = !anytrue([
        local.settings.repository == "OWNER/NAME",
        local.settings.domain == "DOMAIN",
        endswith(local.settings.certificate, "EXAMPLE"),
        strcontains(local.settings.ci.issuer, "ORGANIZATION-ID"),
      ])
      error_message = "infra/settings.yaml still has values in capital letters."
    }

    precondition {
      condition     = length(local.settings.clients) > 0 && length(local.settings.alerts_to) > 0
      error_message = "infra/settings.yaml needs a network in `clients` and an address in `alerts_to`."
    }
  }
}

# One key for buckets, database, images, logs and secrets. AWS makes a new one of its material each year.
resource "aws_kms_key" "main" {
  description         = "${local.project}: data at rest"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogsAndAlarms"
        Effect    = "Allow"
        Principal = { Service = ["logs.${local.region}.amazonaws.com", "cloudwatch.amazonaws.com"] }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.project}"
  target_key_id = aws_kms_key.main.id
}

resource "aws_sns_topic" "alerts" {
  name              = "${local.project}-alerts"
  kms_master_key_id = aws_kms_key.main.arn
}

resource "aws_sns_topic_subscription" "alerts" {
  for_each = toset(local.settings.alerts_to)

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_budgets_budget" "month" {
  name         = local.project
  budget_type  = "COST"
  limit_amount = local.settings.budget
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue" # AWS counts a tag only after it is activated for cost allocation
    values = [format("user:project$%s", local.project)]
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = local.settings.alerts_to
  }
}
