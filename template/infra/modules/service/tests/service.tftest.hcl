mock_provider "aws" {
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/flights-staging/1" }
  }
}

variables {
  alias           = "candidate"
  tasks           = { min = 2, max = 4 }
  size            = { cpu = 1024, memory = 2048 }
  latency_seconds = 0.5

  foundation = {
    name           = "staging"
    project        = "flights"
    region         = "eu-central-1"
    host           = "staging.ml.example.com"
    tracking_uri   = "http://tracking.flights.internal:5000"
    cluster        = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/flights", name = "flights" }
    vpc            = "vpc-1"
    subnets        = ["subnet-1", "subnet-2"]
    security_group = "sg-1"
    listener       = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/flights/1/1"
    load_balancer  = "app/flights/1"
    execution_role = "arn:aws:iam::123456789012:role/flights-staging-execution"
    task_role      = "arn:aws:iam::123456789012:role/flights-staging-task"
    log_group      = "/flights/staging"
    secret         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:flights/staging-1"
    file_system    = "fs-1"
    access_point   = "fsap-1"
    alerts         = "arn:aws:sns:eu-central-1:123456789012:flights-alerts"
  }
}

run "a_service_is_scaled_healthy_and_has_no_secret_in_its_settings" {
  command = apply # with the mocked provider: nothing is made

  assert {
    condition     = aws_ecs_service.service.desired_count == 0 && aws_appautoscaling_target.service.min_capacity == 0
    error_message = "Tasks start before an image is deployed."
  }

  assert {
    condition     = aws_appautoscaling_target.service.max_capacity == 4
    error_message = "The number of tasks has another limit."
  }

  assert {
    condition     = aws_ecs_service.service.deployment_circuit_breaker[0].rollback
    error_message = "A deployment that fails is not rolled back."
  }

  assert {
    condition     = aws_lb_target_group.service.health_check[0].path == "/readyz"
    error_message = "A task without a model gets requests."
  }

  assert {
    condition = alltrue([
      for one in jsondecode(aws_ecs_task_definition.service.container_definitions)[0].secrets :
      startswith(one.valueFrom, "arn:aws:secretsmanager:")
    ])
    error_message = "A secret is written into the task."
  }

  assert {
    condition = alltrue([
      for one in aws_cloudwatch_metric_alarm.service : one.alarm_actions == toset([var.foundation.alerts])
    ])
    error_message = "An alarm reaches nobody."
  }
}

run "fewer_tasks_at_most_than_at_least_are_refused" {
  command = plan

  variables {
    tasks = { min = 3, max = 2 }
  }

  expect_failures = [var.tasks]
}
