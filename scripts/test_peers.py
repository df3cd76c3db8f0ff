"""Commands that scripts/peers gives to the harness, split into words again."""
import importlib.machinery
import importlib.util
import pathlib
import shlex
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("peers", str(HERE / "peers"))
peers = importlib.util.module_from_spec(importlib.util.spec_from_loader("peers", loader))
loader.exec_module(peers)


class Commands(unittest.TestCase):
    def test_a_folder_is_one_word_whatever_its_name(self):
        for name in ("plain", "with a space", "it's", "of $HOME"):
            folder = pathlib.Path("/tmp") / name
            words = [shlex.split(peers.command_of(template, folder))
                     for template in (peers.BENCH, peers.FIRST, peers.BATCHED)]
            self.assertEqual(words[0][:3], [f"{folder}/llama-bench", "-m", "{model}"])
            self.assertEqual(words[1][:3], [f"wall:{folder}/llama-cli", "-m", "{model}"])
            self.assertEqual(words[2][2:6], ['exec "$0" "$@" 2>&1', f"{folder}/llama-batched-bench", "-m", "{model}"])

    def test_a_peer_repacks_where_it_can(self):
        for help_text, wanted in (("-rtr, --run-time-repack <0|1>", ["-rtr", "{repack}"]), ("-mmp, --mmap <0|1>", ["-mmp", "0"])):
            with tempfile.TemporaryDirectory() as name:
                bench = pathlib.Path(name) / "llama-bench"
                bench.write_text(f"#!/bin/sh\necho '{help_text}'\n", encoding="utf-8")
                bench.chmod(0o755)
                words = shlex.split(peers.command_of(peers.BENCH + " {repack}", bench.parent))
                self.assertEqual(words[-2:], wanted)


if __name__ == "__main__":
    unittest.main()
