"""The table that verbose prints."""

import pytest

from skdl.training import Report

ROW = {"loss": 0.123456, "learning_rate": 1e-3}
VALIDATED = {**ROW, "val_loss": 2.0, "val_score": 0.5}


def lines(capsys, every=1, header=True, row=ROW, n=5, best=(2,)):
    report = Report("A title", every, header)
    for epoch in range(1, n + 1):
        report.epoch(epoch, row, epoch in best)
    report.end("Done.")
    return capsys.readouterr().out.splitlines()


def test_silence(capsys):
    assert lines(capsys, every=0) == []


def test_header_rows_and_last_line(capsys):
    printed = lines(capsys)
    assert printed[0] == "A title"
    assert printed[1].split() == ["epoch", "loss", "rate", "time"]
    assert [line.split()[:3] for line in printed[2:7]] == [
        [str(epoch), "0.12346", "0.001"] for epoch in range(1, 6)
    ]
    assert [line.endswith("*") for line in printed[2:7]] == [False, True] + 3 * [False]
    assert printed[7:] == ["Done."]


def test_columns_line_up(capsys):
    printed = lines(capsys, row=VALIDATED)
    head = printed[1]
    assert head.split("  ")[-1].strip() == "time"
    for name in ("loss", "val loss", "val score", "rate"):
        end = head.index(name) + len(name)
        for line in printed[2:7]:  # every number ends where its head does
            assert line[end - 1].isdigit()
            assert line[end] == " "


@pytest.mark.parametrize(
    ("every", "epochs"), [(1, [1, 2, 3, 4, 5]), (2, [1, 2, 4]), (10, [1])]
)
def test_every_so_many_epochs(capsys, every, epochs):
    printed = lines(capsys, every)
    assert [int(line.split()[0]) for line in printed[2:-1]] == epochs


def test_a_run_that_goes_on_has_no_second_header(capsys):
    assert lines(capsys, header=False)[0].split()[0] == "1"
