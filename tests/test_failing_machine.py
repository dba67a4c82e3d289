"""Full disks, folders that vanish, two runs at once, no memory: nothing is lost, all is said."""

import errno
import shutil

import pytest
from failing_disk import FailingDisk
from small_run import (
    EFFECTS,
    check_that_all_is_done,
    check_what_a_fault_left,
    make_photos,
    rows,
    run,
)

import u2demo as u2
from u2demo.pipeline import Result


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of three photos."""
    return make_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def earlier(photos, tmp_path_factory):
    """The results of what the photos were before they were changed."""
    out = tmp_path_factory.mktemp("earlier")
    make_photos(photos, size=(40, 40))
    run(photos, out)
    make_photos(photos)
    return out


@pytest.fixture(scope="module")
def undisturbed(photos, earlier, tmp_path_factory):
    """The results of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed")
    run(photos, out)
    return out


FAULTS = [
    pytest.param(code, for_good, again, marks=() if quick else pytest.mark.slow)
    for code in (errno.ENOSPC, errno.EIO)
    for for_good in (False, True)
    for again in (False, True)
    for quick in [code == errno.ENOSPC and for_good == again]
]


@pytest.mark.parametrize(("code", "for_good", "again"), FAULTS)
def test_a_run_survives_a_fault_at_every_operation_on_its_disk(
    code, for_good, again, photos, earlier, undisturbed, tmp_path
):
    """The disk fails ``for_good`` or once; the results are new or replace those of ``again``."""
    kinds = set()
    for fail_at in range(1, 1000):
        out = tmp_path / str(fail_at)
        if again:
            shutil.copytree(earlier, out)
        try:
            with FailingDisk(out, fail_at, code=code, for_good=for_good) as disk:
                run(photos, out)
        except OSError as error:
            assert disk.failed and str(out) in str(error) and "choose another" in str(error)
        else:  # what failed does not matter, such as making a folder that is there
            assert rows(out) == rows(undisturbed)
        if not disk.failed:
            break
        kinds.add(disk.operations[fail_at - 1].split()[0])
        if code == errno.ENOSPC:  # what is deleted needs no room; a dead disk keeps all
            check_what_a_fault_left(out, undisturbed, earlier if again else None)
        run(photos, out)
        check_that_all_is_done(out, undisturbed)
    assert kinds - {"unlink"} == {"open", "write", "close", "fsync", "rename", "mkdir"}
    assert fail_at > 80


def test_saving_survives_a_fault_at_every_operation_on_its_disk(scene, tmp_path):
    image, mask = scene
    pictures = {name: EFFECTS[name](image, mask) for name in ("cutout", "box")}
    result = Result("cat.jpg", image, mask, pictures)
    whole = [file.read_bytes() for file in u2.save(result, tmp_path / "undisturbed")]
    for fail_at in range(1, 1000):
        out = tmp_path / str(fail_at)
        try:
            with FailingDisk(out, fail_at) as disk:
                u2.save(result, out)
        except OSError as error:
            assert disk.failed and str(out) in str(error) and "the disk is full" in str(error)
        if not disk.failed:
            break
        left = [file.read_bytes() for file in out.iterdir()] if out.exists() else []
        assert all(content in whole for content in left), disk.operations[fail_at - 1]
    assert fail_at > 10
