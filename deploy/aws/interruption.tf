# The queue that the controller reads (--interruption-queue), and the rules that fill it.

variable "cluster_name" {
  type        = string
  description = "Of the EKS cluster; the queue is named so."
}

locals {
  events = {
    spot_interruption                 = { source = "aws.ec2", detail_type = "EC2 Spot Instance Interruption Warning" }
    rebalance_recommendation          = { source = "aws.ec2", detail_type = "EC2 Instance Rebalance Recommendation" }
    state_change                      = { source = "aws.ec2", detail_type = "EC2 Instance State-change Notification" }
    scheduled_change                  = { source = "aws.health", detail_type = "AWS Health Event" }
    capacity_reservation_interruption = { source = "aws.ec2", detail_type = "EC2 Capacity Reservation Instance Interruption Warning" }
  }
}

resource "aws_sqs_queue" "interruption" {
  name                      = var.cluster_name
  message_retention_seconds = 300
  sqs_managed_sse_enabled   = true
}

data "aws_iam_policy_document" "interruption" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.interruption.arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com", "sqs.amazonaws.com"]
    }
  }
  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.interruption.arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "interruption" {
  queue_url = aws_sqs_queue.interruption.url
  policy    = data.aws_iam_policy_document.interruption.json
}

resource "aws_cloudwatch_event_rule" "interruption" {
  for_each = local.events
  event_pattern = jsonencode({
    source      = [each.value.source]
    detail-type = [each.value.detail_type]
  })
}

resource "aws_cloudwatch_event_target" "interruption" {
  for_each = local.events
  rule     = aws_cloudwatch_event_rule.interruption[each.key].name
  arn      = aws_sqs_queue.interruption.arn
}
