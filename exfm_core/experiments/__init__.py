"""Experiments: many arms, seeds and tenants over recipes, in processes of their own, with tables and pictures.

stage     a recipe's partitions, written once
teaching  the foundation model's label sets, taught once per (stage, spec, delays)
work      one vertical model, one seed, all arms over one read
pool      pieces of work over processes; what is done is not done again
figures   lifts, intervals and seed spread from the stored sums
report    Markdown, JSON and pictures below docs/results
"""
