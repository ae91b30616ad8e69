data "aws_caller_identity" "current" {}

# One bucket for data (DVC) and artifacts (MLflow). Bucket names are unique in the whole world and
# at most 63 characters long: the account's number makes the first true, the cut the second.
resource "aws_s3_bucket" "store" {
  bucket = "${substr(var.project, 0, 50)}-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = aws_s3_bucket.store.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket = aws_s3_bucket.store.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# One registry for the service's images: a tag, once pushed, stays what it is.
resource "aws_ecr_repository" "service" {
  name                 = "${var.project}/service"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}
