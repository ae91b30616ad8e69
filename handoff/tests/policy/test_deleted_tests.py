"""A test that a change deletes or switches off is found; one that moves or is renamed is not."""

import pytest

from baton_handoff.policy.status.deleted_tests import brings_tests, deleted_tests

FILE = "tests/contract/test_it.py"
ONE = "def test_one():\n    assert one() == 1\n"
TWO = "def test_two():\n    assert two() == 2\n"
IN_CLASS = "class TestIt:\n    def test_it(self):\n        assert it() == 1\n"
BOTH_OFF = [("test_one", True), ("test_two", True)]
SKIP = "import pytest\n\n\n"


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ({FILE: ONE}, [("test_two", False)]),
        ({}, [("test_one", False), ("test_two", False)]),
        ({FILE: ONE + TWO.replace("def test", "def _test")}, [("test_two", False)]),
        ({FILE: f"{SKIP}{ONE}@pytest.mark.skip\n{TWO}"}, [("test_two", True)]),
        ({FILE: f"{SKIP}{ONE}@pytest.mark.skipif(True, reason='')\n{TWO}"}, [("test_two", True)]),
        ({FILE: f"{SKIP}{ONE}@pytest.mark.xfail\n{TWO}"}, [("test_two", True)]),
        ({FILE: f"{SKIP}pytestmark = [pytest.mark.skip]\n{ONE}{TWO}"}, BOTH_OFF),
        ({FILE: ONE + TWO.replace("():\n", "():\n    pytest.skip('')\n")}, [("test_two", True)]),
        ({"tests/contract/it.py": ONE + TWO}, [("test_one", False), ("test_two", False)]),
        ({FILE: TWO, "tests/unit/test_new.py": ONE}, []),
        ({FILE: ONE + TWO.replace("test_two", "test_pair")}, []),
        ({FILE: ONE + TWO.replace("== 2", "== 3")}, []),
        ({FILE: "<<<<<<< HEAD\n" + ONE}, []),
    ],
)
def test_a_test_that_runs_no_more_is_found(
    after: dict[str, str], found: list[tuple[str, bool]]
) -> None:
    deleted = deleted_tests({FILE: ONE + TWO}, after)
    assert [(test.name, is_off) for test, is_off in deleted] == found


def test_a_method_of_a_class_is_a_test() -> None:
    (found,) = deleted_tests({FILE: ONE + IN_CLASS}, {FILE: ONE})
    assert found[0].identifier == f"{FILE}::TestIt::test_it"
    skipped = f"{SKIP}{ONE}@pytest.mark.skip\n{IN_CLASS}"
    assert [off for _, off in deleted_tests({FILE: ONE + IN_CLASS}, {FILE: skipped})] == [True]


@pytest.mark.parametrize(
    ("after", "brings"),
    [
        (ONE, False),
        (f"{SKIP}{ONE}@pytest.mark.skip\n{TWO}", False),
        (f"{ONE}{TWO}# words\n", False),
        (ONE + TWO.replace("== 2", "== 3"), True),
        (f"{ONE}{TWO}{IN_CLASS}", True),
        (f"{SKIP}{ONE}@pytest.mark.parametrize('x', [1])\n{TWO}", True),
    ],
)
def test_a_change_brings_tests_only_if_there_is_more_than_before(after: str, brings: bool) -> None:
    assert brings_tests(ONE + TWO, after) is brings
