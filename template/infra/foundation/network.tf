# A network of two zones. Only the load balancer is reached from outside; tasks and database have no way
# to the internet, they reach AWS by endpoints.

resource "aws_vpc" "main" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = local.project }
}

resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id # without rules: what names no group reaches nothing
}

resource "aws_subnet" "public" {
  count = 2

  vpc_id            = aws_vpc.main.id
  availability_zone = data.aws_availability_zones.available.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  tags              = { Name = "${local.project}-public-${count.index}" }
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id            = aws_vpc.main.id
  availability_zone = data.aws_availability_zones.available.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, 10 + count.index)
  tags              = { Name = "${local.project}-private-${count.index}" }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}

resource "aws_route_table_association" "public" {
  count = 2

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table_association" "private" {
  count = 2

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.${local.region}.s3"
  route_table_ids = [aws_route_table.private.id]
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])

  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.endpoints.id]
}

# -- who may connect to whom

resource "aws_security_group" "balancer" {
  name        = "${local.project}-balancer"
  description = "From clients to the load balancer"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group" "task" {
  for_each = toset(concat(local.environments, ["tracking"]))

  name        = "${local.project}-${each.key}"
  description = "Tasks of ${each.key}"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group" "predictions" {
  for_each = toset(local.environments)

  name        = "${local.project}-${each.key}-predictions"
  description = "From tasks of ${each.key} to their prediction log"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group" "database" {
  name        = "${local.project}-database"
  description = "From the tracking server to its database"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group" "endpoints" {
  name        = "${local.project}-endpoints"
  description = "From tasks to AWS"
  vpc_id      = aws_vpc.main.id
}

locals {
  # from, to, port: each becomes a rule of both groups.
  connections = merge(
    { for name, group in aws_security_group.task : "balancer-${name}" => {
      from = aws_security_group.balancer.id, to = group.id, port = name == "tracking" ? 5000 : 8000
    } },
    { for name, group in aws_security_group.task : "${name}-endpoints" => {
      from = group.id, to = aws_security_group.endpoints.id, port = 443
    } },
    { for name in local.environments : "${name}-tracking" => {
      from = aws_security_group.task[name].id, to = aws_security_group.task["tracking"].id, port = 5000
    } },
    { for name in local.environments : "${name}-predictions" => {
      from = aws_security_group.task[name].id, to = aws_security_group.predictions[name].id, port = 2049
    } },
    { tracking-database = {
      from = aws_security_group.task["tracking"].id, to = aws_security_group.database.id, port = 5432
    } },
  )
}

resource "aws_vpc_security_group_egress_rule" "connection" {
  for_each = local.connections

  security_group_id            = each.value.from
  referenced_security_group_id = each.value.to
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "connection" {
  for_each = local.connections

  security_group_id            = each.value.to
  referenced_security_group_id = each.value.from
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each = aws_security_group.task

  security_group_id = each.value.id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  description       = "${each.key}-s3"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = toset(local.settings.clients)

  security_group_id = aws_security_group.balancer.id
  cidr_ipv4         = each.value
  description       = "client"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# -- the load balancer: one for all, each name leads to one target

resource "aws_lb" "main" {
  name                       = trim(substr(local.project, 0, 32), "-")
  load_balancer_type         = "application"
  subnets                    = aws_subnet.public[*].id
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = true
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.settings.certificate

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}
