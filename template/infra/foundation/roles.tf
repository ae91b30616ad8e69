# Who may do what: the roles of tasks, and those of CI, which needs no stored key (OIDC).

locals {
  tasks = concat(local.environments, ["tracking"])

  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  key_use = {
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = aws_kms_key.main.arn
  }

  registry_login = { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" }

  pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
}

# -- tasks: `execution` starts the container, `task` is what the container may do

resource "aws_iam_role" "execution" {
  for_each = toset(local.tasks)

  name               = "${local.project}-${each.key}-execution"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "execution" {
  for_each = aws_iam_role.execution

  role = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.registry_login,
      local.key_use,
      {
        Effect   = "Allow"
        Action   = local.pull
        Resource = aws_ecr_repository.image[each.key == "tracking" ? "tracking" : "service"].arn
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.application[each.key].arn}:*"
      },
      {
        Effect = "Allow"
        Action = "secretsmanager:GetSecretValue"
        Resource = concat(
          [aws_secretsmanager_secret.application[each.key].arn],
          each.key == "tracking" ? [aws_db_instance.tracking.master_user_secret[0].secret_arn] : [],
        )
      },
    ]
  })
}

locals {
  task_policies = merge(
    { tracking = jsonencode({
      Version = "2012-10-17"
      Statement = [
        local.key_use,
        {
          Effect   = "Allow"
          Action   = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
          Resource = [module.bucket["mlflow"].arn, "${module.bucket["mlflow"].arn}/*"]
        },
      ]
    }) },
    { for name in local.environments : name => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.predictions[name].arn
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.predictions[name].arn } }
      }]
    }) },
  )
}

resource "aws_iam_role" "task" {
  for_each = toset(local.tasks)

  name               = "${local.project}-${each.key}-task"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "task" {
  for_each = aws_iam_role.task

  role   = each.value.id
  policy = local.task_policies[each.key]
}

# -- CI

resource "aws_iam_openid_connect_provider" "ci" {
  url            = "https://${local.settings.ci.issuer}"
  client_id_list = [local.settings.ci.audience]
}

resource "aws_iam_role" "ci" {
  for_each = local.settings.ci.jobs

  name                 = "${local.project}-ci-${each.key}"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.ci.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "${local.settings.ci.issuer}:aud" = local.settings.ci.audience }
        StringLike   = { "${local.settings.ci.issuer}:sub" = replace(each.value, "REPOSITORY", local.settings.repository) }
      }
    }]
  })
}

locals {
  state = "arn:aws:s3:::${local.project}-state-${local.account}"

  read_data = [
    local.key_use,
    {
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetObject"]
      Resource = [module.bucket["dvc"].arn, "${module.bucket["dvc"].arn}/*"]
    },
  ]

  # A plan reads the state, and how things are set; no object, log line or secret.
  plan = [
    { Effect = "Allow", Action = "s3:ListBucket", Resource = local.state },
    { Effect = "Allow", Action = "s3:GetObject", Resource = "${local.state}/*" },
    {
      Effect = "Allow"
      Action = [
        "application-autoscaling:Describe*", "application-autoscaling:ListTagsForResource",
        "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource",
        "ecs:Describe*", "ecs:ListTagsForResource",
        "elasticloadbalancing:Describe*",
        "logs:DescribeMetricFilters",
        "ssm:DescribeParameters",
      ]
      Resource = "*"
    },
    {
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters", "ssm:ListTagsForResource"]
      Resource = "arn:aws:ssm:${local.region}:${local.account}:parameter/${local.project}/*"
    },
  ]

  publish = concat(local.read_data, [
    local.registry_login,
    {
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = "${module.bucket["dvc"].arn}/*"
    },
    {
      Effect = "Allow"
      Action = concat(local.pull, [
        "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        "ecr:DescribeImages", "ecr:DescribeImageScanFindings",
      ])
      Resource = [for one in aws_ecr_repository.image : one.arn]
    },
  ])

  # An environment's role changes that environment alone, and can't make or change a role.
  apply = { for name in local.environments : name => concat(local.plan, [
    {
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:DeleteObject"]
      Resource = ["${local.state}/${name}.tfstate", "${local.state}/${name}.tfstate.tflock"]
    },
    {
      Effect = "Allow"
      Action = ["ecs:*Service*", "ecs:TagResource", "ecs:UntagResource"]
      Resource = [
        "arn:aws:ecs:${local.region}:${local.account}:service/${local.project}/${name}",
        "arn:aws:ecs:${local.region}:${local.account}:task-definition/${local.project}-${name}:*",
      ]
    },
    {
      # These actions take no resource, or one whose name is not known before.
      Effect   = "Allow"
      Action   = ["ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition"]
      Resource = "*"
    },
    {
      Effect   = "Allow"
      Action   = "iam:PassRole"
      Resource = [aws_iam_role.execution[name].arn, aws_iam_role.task[name].arn]
    },
    {
      Effect   = "Allow"
      Action   = "application-autoscaling:*"
      Resource = "arn:aws:application-autoscaling:${local.region}:${local.account}:scalable-target/*"
      Condition = {
        StringEqualsIfExists = { "application-autoscaling:service-namespace" = "ecs" }
      }
    },
    {
      Effect = "Allow"
      Action = "elasticloadbalancing:*"
      Resource = [
        "arn:aws:elasticloadbalancing:${local.region}:${local.account}:targetgroup/*-${name}/*",
        "arn:aws:elasticloadbalancing:${local.region}:${local.account}:listener-rule/app/${aws_lb.main.name}/*",
        aws_lb_listener.https.arn,
      ]
      Condition = {
        StringEqualsIfExists = { "aws:ResourceTag/project" = local.project }
      }
    },
    {
      Effect   = "Allow"
      Action   = ["cloudwatch:*Alarm*", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
      Resource = "arn:aws:cloudwatch:${local.region}:${local.account}:alarm:${local.project}-${name}-*"
    },
    {
      Effect   = "Allow"
      Action   = ["logs:PutMetricFilter", "logs:DeleteMetricFilter"]
      Resource = "${aws_cloudwatch_log_group.application[name].arn}:*"
    },
    {
      Effect   = "Allow"
      Action   = ["ssm:*Parameter*", "ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"]
      Resource = "arn:aws:ssm:${local.region}:${local.account}:parameter/${local.project}/${name}/*"
    },
    {
      Effect    = "Allow"
      Action    = "cloudwatch:PutMetricData"
      Resource  = "*"
      Condition = { StringEquals = { "cloudwatch:namespace" = "${local.project}/${name}" } }
    },
  ]) }
}

resource "aws_iam_role_policy" "ci" {
  for_each = merge({ read = concat(local.plan, local.read_data), publish = local.publish }, local.apply)

  role   = aws_iam_role.ci[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
