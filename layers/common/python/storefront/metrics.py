"""CloudWatch metrics. They are written to the log, in the embedded metric format."""

from storefront import settings


def count(name: str, value: int) -> None:
    """Record a count in the namespace of the stack."""
    # Imported here, because most executions count nothing. It must be imported after cold_start.powertools.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415  see above

    with single_metric(name, MetricUnit.Count, value, namespace=settings.metrics_namespace()) as metric:
        metric.add_dimension("service", "storefront")
