"""Writes every model's row of figures as commits would have left it, from the sums that the fill wrote.

`python -m bench.api.figures`, with a worker's credential.
"""


def main() -> None:
    """Compute all of them with the platform's own code."""
    import django

    django.setup()
    from insights.keeping import catch_up
    from tenancy.scope import platform_scope

    with platform_scope("bench"):
        print(catch_up(for_seconds=float("inf")), "models")


if __name__ == "__main__":
    main()
