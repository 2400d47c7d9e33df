"""`corpusforge.api` is what the command line, jobs and `import corpusforge` call: every name of it is there."""

import corpusforge as cf
from corpusforge import api


def test_every_name_that_is_promised_is_there() -> None:
    assert len(set(api.__all__)) == len(api.__all__)
    for name in api.__all__:
        assert getattr(api, name).__doc__ or name == "PoolName", name
    for name in cf.__all__:
        assert getattr(cf, name) is getattr(api, name)
    assert set(cf.__all__) <= set(api.__all__)
