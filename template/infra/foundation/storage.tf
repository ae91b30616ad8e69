# Buckets for data (DVC) and artifacts (MLflow), with the log of who read them, and the images.

module "log_bucket" {
  source = "../modules/bucket"

  name        = "${local.project}-logs-${local.account}"
  expire_days = 365

  # S3 can't write its access log to a bucket with a KMS key.
  statements = [{
    Sid       = "AccessLogs"
    Effect    = "Allow"
    Principal = { Service = "logging.s3.amazonaws.com" }
    Action    = "s3:PutObject"
    Resource  = "arn:aws:s3:::${local.project}-logs-${local.account}/*"
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  }]
}

module "bucket" {
  source   = "../modules/bucket"
  for_each = toset(["dvc", "mlflow"])

  name    = "${local.project}-${each.key}-${local.account}"
  key_arn = aws_kms_key.main.arn
}

resource "aws_s3_bucket_logging" "log" {
  for_each = module.bucket

  bucket        = each.value.name
  target_bucket = module.log_bucket.name
  target_prefix = "${each.key}/"
}

resource "aws_ecr_repository" "image" {
  for_each = toset(["service", "tracking"])

  name                 = "${local.project}/${each.key}"
  image_tag_mutability = "IMMUTABLE"

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.main.arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "image" {
  for_each = aws_ecr_repository.image

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the newest 100 images: a rollback needs them."
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 100 }
      action       = { type = "expire" }
    }]
  })
}

# The prediction logs: all tasks of an environment write files of their own.
resource "aws_efs_file_system" "predictions" {
  for_each = toset(local.environments)

  creation_token  = "${local.project}-${each.key}"
  encrypted       = true
  kms_key_id      = aws_kms_key.main.arn
  throughput_mode = "elastic"

  lifecycle_policy {
    transition_to_ia = "AFTER_30_DAYS"
  }

  tags = { Name = "${local.project}-${each.key}-predictions" }
}

resource "aws_efs_mount_target" "predictions" {
  for_each = { for pair in setproduct(local.environments, [0, 1]) : "${pair[0]}-${pair[1]}" => pair }

  file_system_id  = aws_efs_file_system.predictions[each.value[0]].id
  subnet_id       = aws_subnet.private[each.value[1]].id
  security_groups = [aws_security_group.predictions[each.value[0]].id]
}

resource "aws_efs_access_point" "predictions" {
  for_each = aws_efs_file_system.predictions

  file_system_id = each.value.id

  posix_user {
    uid = 10001 # the user of the service's image
    gid = 10001
  }

  root_directory {
    path = "/predictions"

    creation_info {
      owner_uid   = 10001
      owner_gid   = 10001
      permissions = "750"
    }
  }
}
