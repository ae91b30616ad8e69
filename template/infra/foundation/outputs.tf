output "dvc_remote" {
  description = "Where DVC keeps the data."
  value       = "s3://${module.bucket["dvc"].name}/dvc"
}

output "mlflow_artifacts" {
  description = "Where the tracking server keeps models and other artifacts."
  value       = "s3://${module.bucket["mlflow"].name}"
}

output "image_registry" {
  description = "Where the images of the service and of the tracking server are pushed."
  value       = { for name, one in aws_ecr_repository.image : name => one.repository_url }
}

output "load_balancer" {
  description = "The name to which those of the domain lead (CNAME)."
  value       = aws_lb.main.dns_name
}

output "ci_roles" {
  description = "The role of each kind of job."
  value       = { for name, role in aws_iam_role.ci : name => role.arn }
}

output "environments" {
  description = "What the configuration of an environment needs to know."
  value = { for name in local.environments : name => {
    name           = name
    project        = local.project
    region         = local.region
    host           = "${name}.${local.settings.domain}"
    tracking_uri   = "http://${local.hosts.internal}"
    cluster        = { arn = aws_ecs_cluster.main.arn, name = aws_ecs_cluster.main.name }
    vpc            = aws_vpc.main.id
    subnets        = aws_subnet.private[*].id
    security_group = aws_security_group.task[name].id
    listener       = aws_lb_listener.https.arn
    load_balancer  = aws_lb.main.arn_suffix
    execution_role = aws_iam_role.execution[name].arn
    task_role      = aws_iam_role.task[name].arn
    log_group      = aws_cloudwatch_log_group.application[name].name
    secret         = aws_secretsmanager_secret.application[name].arn
    file_system    = aws_efs_file_system.predictions[name].id
    access_point   = aws_efs_access_point.predictions[name].id
    alerts         = aws_sns_topic.alerts.arn
  } }
}
