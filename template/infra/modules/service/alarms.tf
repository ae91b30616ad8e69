# What is reported: each alarm names the side that has to act, as standards/observability/alerts.yml does.

locals {
  target = {
    LoadBalancer = local.to.load_balancer
    TargetGroup  = aws_lb_target_group.service.arn_suffix
  }

  alarms = {
    down = {
      text      = "ml-engineering: no task is healthy."
      namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.target
      statistic = "Maximum", below = 1, seconds = 60, times = 3, missing = "breaching"
    }
    errors = {
      text      = "ml-engineering: the service answers with errors (more than 5 in a minute)."
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.target
      statistic = "Sum", above = 5, seconds = 60, times = 2, missing = "notBreaching"
    }
    slow = {
      text      = "ml-engineering: one answer of twenty takes too long."
      namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.target
      statistic = "p95", above = var.latency_seconds, seconds = 60, times = 5, missing = "notBreaching"
    }
    logged = {
      text      = "ml-engineering: the service logs errors."
      namespace = local.metrics, metric = "logged_errors", dimensions = {}
      statistic = "Sum", above = 0, seconds = 300, times = 1, missing = "notBreaching"
    }
    # The monitor's metrics are published once a day; silence for two days is a finding, too.
    source = {
      text      = "data-owner: what the model is given has changed; see the monitor's report."
      namespace = local.metrics, metric = "handoff_monitor_alerts", dimensions = { side = "data-owner" }
      statistic = "Maximum", above = 0, seconds = 86400, times = 1, missing = "notBreaching"
    }
    decay = {
      text      = "data-science: the model predicts worse or otherwise; see the monitor's report."
      namespace = local.metrics, metric = "handoff_monitor_alerts", dimensions = { side = "data-science" }
      statistic = "Maximum", above = 0, seconds = 86400, times = 1, missing = "notBreaching"
    }
    unmonitored = {
      text      = "ml-engineering: there is no prediction to monitor, or the monitor has not run."
      namespace = local.metrics, metric = "handoff_monitor_alerts", dimensions = { side = "ml-engineering" }
      statistic = "Maximum", above = 0, seconds = 86400, times = 2, missing = "breaching"
    }
  }

  metrics = "${local.to.project}/${local.to.name}"
}

resource "aws_cloudwatch_metric_alarm" "service" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.below, each.value.above)
  period              = each.value.seconds
  evaluation_periods  = each.value.times
  treat_missing_data  = each.value.missing
  alarm_actions       = [local.to.alerts]
  ok_actions          = [local.to.alerts]
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${local.name}-errors"
  log_group_name = local.to.log_group
  pattern        = "{ $.level = \"error\" || $.level = \"critical\" }"

  metric_transformation {
    namespace     = local.metrics
    name          = "logged_errors"
    value         = "1"
    default_value = "0"
  }
}
