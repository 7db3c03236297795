"""Runs the Python package's own tests inside an isolate. They get a copy of the package: the one that runs this UDF stays whole."""

import fused


@fused.udf
def udf(archive, paths: list, tool: str = "pytest"):
    """Unpacks an archive (tests, package, pytest) and runs pytest on `paths` in it. Gives counts, and each failure's text."""
    import importlib
    import io
    import os
    import sys
    import zipfile

    root = "/tmp/pytest"
    zipfile.ZipFile(io.BytesIO(archive)).extractall(root)
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("fused", "__udf__")}
    finders, hooks, here = list(sys.meta_path), list(sys.path_hooks), os.getcwd()
    for name in ours:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in finders if not type(finder).__module__.startswith("fused")]
    sys.path[:0] = [f"{root}/site", f"{root}/sdk/python"]
    os.chdir(root)
    try:
        # By a variable: what is imported by its name is looked for in the distribution.
        pytest = importlib.import_module(tool)

        class Report:
            passed, skipped, failures = 0, 0, []

            def pytest_runtest_logreport(self, report):
                if report.failed:
                    self.failures.append([report.nodeid, report.longreprtext])
                elif report.skipped:
                    self.skipped += 1
                elif report.when == "call":
                    self.passed += 1

            def pytest_collectreport(self, report):
                if report.failed:
                    self.failures.append([report.nodeid, report.longreprtext])
                elif report.skipped:
                    self.skipped += 1

        report = Report()
        # No capture of file descriptors: there are none here that a process would inherit.
        options = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=sys", "--color=no", "--tb=short"]
        status = pytest.main([*options, *paths], plugins=[report])
        if int(status) not in (0, 1, 5) and not report.failures:
            report.failures.append(["pytest", f"it ended with {status!r}"])
        return {"passed": report.passed, "skipped": report.skipped, "failures": report.failures}
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("fused", "__udf__")]:
            del sys.modules[name]
        sys.modules.update(ours)
        sys.meta_path[:], sys.path_hooks[:] = finders, hooks
        os.chdir(here)
