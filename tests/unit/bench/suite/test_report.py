"""The report and its comparison, with figures made up by hand."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))))
sys.path.insert(0, os.path.join(ROOT, "bench/suite"))
import report as reports  # noqa: E402
from measures import Table  # noqa: E402
from processes import Failed, output_of, wait_until  # noqa: E402


def report_of(*ratios):
    """A report whose one table has these ratios: name, rounds, limit, better."""
    table = Table("program", "a second")
    table.add("Hanse <fast>", 12345.6)
    table.add("nobody", None)
    for ratio in ratios:
        table.ratio(*ratio)
    return {"commit": "abc", "started": "now", "machine": {"processor": "one"},
            "measures": {"speed": {"title": "Speed", "how": "So.", "table": table.as_json()}}}


class RatioTest(unittest.TestCase):
    def test_median_counts(self):
        table = Table("a")
        table.ratio("high", [3, 1, 2], 2)
        table.ratio("low", [3, 1, 2], 1.9, "lower")
        table.ratio("free", [5], None)
        self.assertEqual([ratio["value"] for ratio in table.ratios], [2, 2, 5])
        self.assertEqual([ratio["is_reached"] for ratio in table.ratios], [True, False, None])


class ReportTest(unittest.TestCase):
    def test_text(self):
        text = reports.as_text(report_of(("to a peer", [9, 10, 12], 11), ("late", [0.5], 1, "lower")))
        self.assertIn("to a peer: 10, at least 11: MISSED (rounds 9, 10, 12)", text)
        self.assertIn("late: 0.5, at most 1: good (rounds 0.5)", text)
        self.assertIn("12,346", text)

    def test_page_escapes(self):
        page = reports.as_page(report_of(("x", [1], 2)), {})
        self.assertIn("Hanse &lt;fast&gt;", page)
        self.assertIn("<li class=missed>", page)

    def test_parts_of_limits(self):
        bars = reports.bars_of(report_of(("twice", [10], 5), ("half as late", [1], 2, "lower"), ("free", [1], None)))
        self.assertEqual(bars, [("twice", 2), ("half as late", 2)])


class CompareTest(unittest.TestCase):
    def compare(self, old, new, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, report in (("old", old), ("new", new)):
                paths.append(os.path.join(folder, name))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(report if isinstance(report, str) else json.dumps(report))
            return subprocess.run(["sh", os.path.join(ROOT, "bench/compare"), *paths, *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, check=False)

    def test_same_is_good(self):
        report = report_of(("x", [10], 5))
        self.assertEqual(self.compare(report, report).returncode, 0)

    def test_loss_is_told(self):
        done = self.compare(report_of(("x", [10], 5)), report_of(("x", [8], 5)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("WORSE Speed: x: 10 -> 8 (-20.0 %)", done.stdout)
        self.assertEqual(self.compare(report_of(("x", [10], 5)), report_of(("x", [8], 5)), "--tolerance", "25").returncode, 0)

    def test_later_is_worse_and_earlier_better(self):
        fast, slow = report_of(("p99", [1], 5, "lower")), report_of(("p99", [2], 5, "lower"))
        self.assertEqual(self.compare(fast, slow).returncode, 1)
        self.assertEqual(self.compare(slow, fast).returncode, 0)

    def test_nothing_in_common_is_an_error(self):
        self.assertEqual(self.compare(report_of(("x", [1], 5)), report_of(("y", [1], 5))).returncode, 1)
        done = self.compare("{", report_of())
        self.assertEqual(done.returncode, 1)
        self.assertIn("bench/compare:", done.stderr)


class ProcessesTest(unittest.TestCase):
    def test_failure_has_the_output(self):
        with self.assertRaisesRegex(Failed, "status 3\nout\nproblem"):
            output_of(["sh", "-c", "echo out; echo problem >&2; exit 3"])

    def test_waiting_ends(self):
        with self.assertRaisesRegex(Failed, "the moon: not within"):
            wait_until(lambda: False, "the moon", 0.05)


if __name__ == "__main__":
    unittest.main()
