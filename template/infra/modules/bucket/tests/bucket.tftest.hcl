mock_provider "aws" {}

variables {
  name    = "flights-dvc-123456789012"
  key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "a_bucket_is_versioned_encrypted_private_and_needs_tls" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket keeps no versions."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      rule.apply_server_side_encryption_by_default[0].kms_master_key_id
    ] == [var.key_arn]
    error_message = "The bucket is not encrypted with the key."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "The bucket may become public."
  }

  assert {
    condition = anytrue([
      for one in jsondecode(aws_s3_bucket_policy.this.policy).Statement :
      one.Effect == "Deny" && one.Condition == { Bool = { "aws:SecureTransport" = "false" } }
    ])
    error_message = "The bucket answers requests without TLS."
  }
}
