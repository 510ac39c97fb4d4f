"""What a run leaves behind, and how it is shown: evidence on disk, the text table, the page,
bundles.
"""
