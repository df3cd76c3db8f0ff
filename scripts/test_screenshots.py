"""A page that logs, asks for something or is too wide is found out; a sound one is not. Nor is a silent browser
waited for."""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("screenshots", str(HERE / "screenshots"))
screenshots = importlib.util.module_from_spec(importlib.util.spec_from_loader("screenshots", loader))
loader.exec_module(screenshots)

GOOD = "<!doctype html><meta name=viewport content='width=device-width'><main><p>text</p><table><thead><tr><th>" \
       "<button>a</button></th></tr></thead></table></main><script>document.title='x'</script>"
BAD = {
    "console: 7": "<script>console.log(7)</script>",
    "script: Error: broken": "<script>throw new Error('broken')</script>",
    "script: Error: tapped": "<script>document.querySelector('th button').onclick=function(){throw new "
                             "Error('tapped')}</script>",
    "asks for http://example.invalid/a.png": "<img src='http://example.invalid/a.png' alt=''>",
    "wider than the screen: P": "<main><p style='width:900px'>wide</p></main>",
}


@unittest.skipIf(screenshots.find_browser() is None, "no Chromium here (package chromium)")
class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = screenshots.Browser(screenshots.find_browser())
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def inspect(self, html):
        page = pathlib.Path(self.folder.name) / "page.html"
        page.write_text(html, encoding="utf-8")
        return screenshots.inspect(self.browser, page.as_uri(), 390, "dark")

    def test_a_sound_page_has_no_faults(self):
        self.assertEqual(self.inspect(GOOD), [])

    def test_each_fault_is_named(self):
        for fault, html in BAD.items():
            with self.subTest(fault):
                found = self.inspect(GOOD + html)
                self.assertTrue(any(f.startswith(fault) for f in found), found)

    def test_a_picture_is_a_png(self):
        self.inspect(GOOD)
        path = pathlib.Path(self.folder.name) / "page.png"
        screenshots.picture(self.browser, path, 390, 0, 300)
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")


# Says no more than it is told to, and takes no hint to go.
SILENT = "#!/bin/sh\ntrap '' TERM\nprintf '%b' '{}' >&4\nwhile :; do sleep 0.1; done\n"
ANSWERS = r'{"id":1,"result":{"targetId":"t"}}\0000{"id":2,"result":{"sessionId":"s"}}\0000'


class SilentBrowser(unittest.TestCase):
    def program(self, answers):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        program = pathlib.Path(folder.name) / "browser"
        program.write_text(SILENT.replace("{}", answers), encoding="utf-8")
        program.chmod(0o755)
        deadline = mock.patch.object(screenshots, "DEADLINE_S", 0.5)
        deadline.start()
        self.addCleanup(deadline.stop)
        return str(program)

    def browser(self, answers):
        return screenshots.Browser(self.program(answers))

    def test_who_never_answers_is_given_up(self):
        with self.assertRaisesRegex(screenshots.BrowserError, "no answer to Target.createTarget within 0.5 s"):
            self.browser("")

    def test_who_falls_silent_is_given_up(self):
        browser = self.browser(ANSWERS)
        self.addCleanup(browser.close)
        with self.assertRaisesRegex(screenshots.BrowserError, "no Page.loadEventFired within 0.5 s"):
            browser.wait_for("Page.loadEventFired")

    def test_a_browser_that_does_not_answer_is_one_line_and_exit_2(self):
        program = self.program("")
        page = pathlib.Path(program).parent / "page.html"
        page.write_text(GOOD, encoding="utf-8")
        said = io.StringIO()
        with mock.patch.object(screenshots, "find_browser", return_value=program), contextlib.redirect_stderr(said):
            self.assertEqual(screenshots.main([str(page)]), 2)
        self.assertEqual(said.getvalue(), f"screenshots: {program}: no answer to Target.createTarget within 0.5 s\n")


if __name__ == "__main__":
    unittest.main()
