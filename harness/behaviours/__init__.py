"""What any LVS cluster has to do, whatever its configuration: the scenarios of ``lvs-harness
check``.

In a repository of one's own: name the directors' files as ``lvs_directors`` in pytest.ini, and run
``pytest --pyargs harness.behaviours``; scenarios of one's own that name no topology run on the same
cluster.
"""
