# MLflow's tracking server: its database, its task, and the names under which it is reached.

resource "aws_db_subnet_group" "tracking" {
  name       = "${local.project}-tracking"
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_db_parameter_group" "tracking" {
  name   = "${local.project}-tracking"
  family = "postgres17"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000" # milliseconds
  }
}

resource "aws_db_instance" "tracking" {
  identifier     = "${local.project}-tracking"
  engine         = "postgres"
  engine_version = "17"
  instance_class = "db.t4g.small"
  db_name        = "mlflow"
  username       = "mlflow"

  # AWS makes, keeps and rotates the password: it is neither here nor in the state.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.main.key_id

  allocated_storage     = 20
  max_allocated_storage = 200
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.main.arn

  multi_az                        = true
  db_subnet_group_name            = aws_db_subnet_group.tracking.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  parameter_group_name            = aws_db_parameter_group.tracking.name
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true
  backup_retention_period         = 30
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  final_snapshot_identifier       = "${local.project}-tracking-final"
}

resource "aws_ecs_cluster" "main" {
  name = local.project

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# Secrets have no value here: a person writes it, so that it is not in the state.
resource "aws_secretsmanager_secret" "application" {
  for_each = toset(concat(local.environments, ["tracking"]))

  name       = "${local.project}/${each.key}"
  kms_key_id = aws_kms_key.main.arn
}

resource "aws_cloudwatch_log_group" "application" {
  for_each = toset(concat(local.environments, ["tracking"]))

  name              = "/${local.project}/${each.key}"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

# Services reach the server by this name, inside the network; people by mlflow.DOMAIN.
resource "aws_service_discovery_private_dns_namespace" "main" {
  name = "${local.project}.internal"
  vpc  = aws_vpc.main.id
}

resource "aws_service_discovery_service" "tracking" {
  name = "tracking"

  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.main.id

    dns_records {
      type = "A"
      ttl  = 10
    }
  }
}

# The value is the image's address; `aws ssm put-parameter --overwrite` names another one.
resource "aws_ssm_parameter" "tracking_image" {
  name           = "/${local.project}/tracking/image"
  type           = "String"
  insecure_value = "none"

  lifecycle {
    ignore_changes = [insecure_value]
  }
}

locals {
  hosts = {
    public   = "mlflow.${local.settings.domain}"
    internal = "tracking.${local.project}.internal:5000"
  }
  login = <<-END
    [mlflow]
    database_uri = postgresql+psycopg2://
    default_permission = EDIT
    auth_cache_ttl_seconds = 60
  END
  environment = {
    LOGIN                              = local.login
    MLFLOW_HOST                        = "0.0.0.0"
    MLFLOW_PORT                        = "5000"
    MLFLOW_WORKERS                     = "2"
    MLFLOW_SERVER_ALLOWED_HOSTS        = join(",", values(local.hosts))
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION = "false"
    MLFLOW_DISABLE_TELEMETRY           = "true"
    MLFLOW_AUTH_CONFIG_PATH            = "/tmp/login.ini"
    MLFLOW_AUTH_ADMIN_USERNAME         = "admin"
    MLFLOW_BACKEND_STORE_URI           = "postgresql+psycopg2://"
    MLFLOW_ARTIFACTS_DESTINATION       = "s3://${module.bucket["mlflow"].name}"
    PGHOST                             = aws_db_instance.tracking.address
    PGPORT                             = "5432"
    PGUSER                             = "mlflow"
    PGDATABASE                         = "mlflow"
    PGSSLMODE                          = "require"
  }
  secrets = {
    PGPASSWORD                     = "${aws_db_instance.tracking.master_user_secret[0].secret_arn}:password::"
    MLFLOW_AUTH_ADMIN_PASSWORD     = "${aws_secretsmanager_secret.application["tracking"].arn}:ADMIN_PASSWORD::"
    MLFLOW_FLASK_SERVER_SECRET_KEY = "${aws_secretsmanager_secret.application["tracking"].arn}:SECRET_KEY::"
  }
}

resource "aws_ecs_task_definition" "tracking" {
  family                   = "${local.project}-tracking"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 1024
  memory                   = 2048
  execution_role_arn       = aws_iam_role.execution["tracking"].arn
  task_role_arn            = aws_iam_role.task["tracking"].arn

  container_definitions = jsonencode([{
    name         = "tracking"
    image        = aws_ssm_parameter.tracking_image.insecure_value
    essential    = true
    command      = ["sh", "-c", "printf %s \"$LOGIN\" > /tmp/login.ini && exec mlflow server --app-name basic-auth"]
    portMappings = [{ containerPort = 5000 }]
    environment  = [for name, value in local.environment : { name = name, value = value }]
    secrets      = [for name, value in local.secrets : { name = name, valueFrom = value }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.application["tracking"].name
        awslogs-region        = local.region
        awslogs-stream-prefix = "tracking"
      }
    }
  }])
}

resource "aws_lb_target_group" "tracking" {
  name                 = "${trim(substr(local.project, 0, 20), "-")}-tracking"
  vpc_id               = aws_vpc.main.id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 5000
  deregistration_delay = 30

  health_check {
    path = "/health"
  }
}

resource "aws_lb_listener_rule" "tracking" {
  listener_arn = aws_lb_listener.https.arn

  condition {
    host_header {
      values = [local.hosts.public]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tracking.arn
  }
}

resource "aws_ecs_service" "tracking" {
  name            = "tracking"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.tracking.arn
  launch_type     = "FARGATE"
  desired_count   = aws_ssm_parameter.tracking_image.insecure_value == "none" ? 0 : 1

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.task["tracking"].id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.tracking.arn
    container_name   = "tracking"
    container_port   = 5000
  }

  service_registries {
    registry_arn = aws_service_discovery_service.tracking.arn
  }

  depends_on = [aws_lb_listener_rule.tracking]
}

resource "aws_cloudwatch_metric_alarm" "database_storage" {
  alarm_name          = "${local.project}-database-storage"
  alarm_description   = "The tracking server's database has less than 2 GiB left."
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.tracking.identifier }
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = 2147483648
  period              = 300
  evaluation_periods  = 3
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "tracking_down" {
  alarm_name          = "${local.project}-tracking-down"
  alarm_description   = "No healthy tracking server."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = aws_lb_target_group.tracking.arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}
