"""Commands that scripts/peers gives to the harness, split into words again."""
import importlib.machinery
import importlib.util
import pathlib
import shlex
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


if __name__ == "__main__":
    unittest.main()
