# The service of one environment: its task, how many of them run, and the name that leads to them.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "foundation" {
  description = "The environment's part of the foundation's output `environments`."
  type        = any
}

variable "alias" {
  description = "The alias of the model version that is served."
  type        = string
}

variable "tasks" {
  description = "How many tasks run at least and at most."
  type        = object({ min = number, max = number })

  validation {
    condition     = var.tasks.min >= 1 && var.tasks.max >= var.tasks.min
    error_message = "At least one task runs, and the maximum is not below the minimum."
  }
}

variable "size" {
  description = "CPU units and MiB of memory of a task, a pair that Fargate has."
  type        = object({ cpu = number, memory = number })
}

variable "latency_seconds" {
  description = "What the 95th percentile of the answers may take."
  type        = number
}

locals {
  to    = var.foundation
  name  = "${local.to.project}-${local.to.name}"
  image = aws_ssm_parameter.image.insecure_value
  # Before the first image is deployed, no task runs.
  least = local.image == "none" ? 0 : var.tasks.min

  environment = {
    HANDOFF_ALIAS         = var.alias
    HANDOFF_INTERNAL_PORT = "9090" # pages and metrics are not behind the load balancer
    MLFLOW_TRACKING_URI   = local.to.tracking_uri
  }
  secrets = ["MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "HANDOFF_SERVICE_TOKEN"]
}

# The deployed image. A deployment writes its address, then applies; the history of the parameter tells
# who deployed what, and a rollback writes the former value.
resource "aws_ssm_parameter" "image" {
  name           = "/${local.to.project}/${local.to.name}/image"
  type           = "String"
  insecure_value = "none"

  lifecycle {
    ignore_changes = [insecure_value]
  }
}

resource "aws_ecs_task_definition" "service" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = local.to.execution_role
  task_role_arn            = local.to.task_role

  volume {
    name = "predictions"

    efs_volume_configuration {
      file_system_id     = local.to.file_system
      transit_encryption = "ENABLED"

      authorization_config {
        access_point_id = local.to.access_point
        iam             = "ENABLED"
      }
    }
  }

  volume {
    name = "temporary" # everything else is read-only
  }

  container_definitions = jsonencode([{
    name                   = "service"
    image                  = local.image
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = 60
    portMappings           = [{ containerPort = 8000 }]
    mountPoints = [
      { sourceVolume = "predictions", containerPath = "/predictions" },
      { sourceVolume = "temporary", containerPath = "/tmp" },
    ]
    environment = [for name, value in local.environment : { name = name, value = value }]
    secrets     = [for name in local.secrets : { name = name, valueFrom = "${local.to.secret}:${name}::" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = local.to.log_group
        awslogs-region        = local.to.region
        awslogs-stream-prefix = "service"
      }
    }
  }])
}

resource "aws_lb_target_group" "service" {
  name                 = "${trim(substr(local.to.project, 0, 20), "-")}-${local.to.name}"
  vpc_id               = local.to.vpc
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 8000
  deregistration_delay = 30

  health_check {
    path                = "/readyz" # a task without a model gets no request
    interval            = 10
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener_rule" "service" {
  listener_arn = local.to.listener

  condition {
    host_header {
      values = [local.to.host]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service.arn
  }
}

resource "aws_ecs_service" "service" {
  name                              = local.to.name
  cluster                           = local.to.cluster.arn
  task_definition                   = aws_ecs_task_definition.service.arn
  launch_type                       = "FARGATE"
  desired_count                     = local.least
  health_check_grace_period_seconds = 120

  # Tasks that don't become healthy never replace those that are.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = local.to.subnets
    security_groups = [local.to.security_group]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.service.arn
    container_name   = "service"
    container_port   = 8000
  }

  lifecycle {
    ignore_changes = [desired_count] # the autoscaling sets it
  }

  depends_on = [aws_lb_listener_rule.service]
}

resource "aws_appautoscaling_target" "service" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${local.to.cluster.name}/${aws_ecs_service.service.name}"
  min_capacity       = local.least
  max_capacity       = var.tasks.max
}

resource "aws_appautoscaling_policy" "service" {
  name               = "${local.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service.service_namespace
  scalable_dimension = aws_appautoscaling_target.service.scalable_dimension
  resource_id        = aws_appautoscaling_target.service.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

output "url" {
  description = "Where the service answers."
  value       = "https://${local.to.host}"
}
