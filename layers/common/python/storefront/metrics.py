"""CloudWatch metrics, written to the log in the embedded metric format."""


def count(name: str, value: int, **dimensions: str) -> None:
    """Count something, under the namespace Storefront."""
    # Imported here: no request that counts nothing pays for it, and what it imports comes after storefront.powertools.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415  see above

    with single_metric(name, MetricUnit.Count, value, namespace="Storefront") as metric:
        for dimension, text in {"service": "storefront", **dimensions}.items():
            metric.add_dimension(dimension, text)
