"""CloudWatch metrics, written to the log in the embedded metric format."""

from storefront import settings


def count(name: str, value: int) -> None:
    """Tell a number, under the stack's own namespace."""
    # Imported here: a request that counts nothing does not pay for it, and it has to come after cold_start.powertools.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415  see above

    with single_metric(name, MetricUnit.Count, value, namespace=settings.metrics_namespace()) as metric:
        metric.add_dimension("service", "storefront")
