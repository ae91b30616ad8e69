output "dvc_remote" {
  description = "Where DVC keeps the data."
  value       = "s3://${aws_s3_bucket.store.bucket}/dvc"
}

output "mlflow_artifacts" {
  description = "Where MLflow keeps models and other artifacts."
  value       = "s3://${aws_s3_bucket.store.bucket}/mlflow"
}

output "image_registry" {
  description = "Where the service's images are pushed."
  value       = aws_ecr_repository.service.repository_url
}
