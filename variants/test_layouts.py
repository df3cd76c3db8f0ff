"""Layout replicates: the same objects, each once, in another order, under another name."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import layouts

COMMAND = (": && /usr/bin/c++ -O2 -flto=auto a.dir/main.cc.o a.dir/x.cc.o 'b dir/y.cc.o' a.dir/z.cc.o "
           "-o variants/o2/smallmind -lpcre2-8 && :")


class Relinking(unittest.TestCase):
    def relink(self, seed):
        return layouts.relink_command(COMMAND, "variants/o2/smallmind", "variants/o2/layouts/1/smallmind", seed)

    def test_objects_stay_the_same_and_so_does_all_else(self):
        words = self.relink("o2/1")
        self.assertEqual(sorted(w for w in words if w.endswith(".o")),
                         ["a.dir/main.cc.o", "a.dir/x.cc.o", "a.dir/z.cc.o", "b dir/y.cc.o"])
        self.assertEqual(words[:3], ["/usr/bin/c++", "-O2", "-flto=auto"])
        self.assertEqual(words[-3:], ["-o", "variants/o2/layouts/1/smallmind", "-lpcre2-8"])

    def test_order_differs_from_the_variants_for_every_seed_and_is_reproducible(self):
        original = [w for w in COMMAND.replace("'b dir", "b+dir").replace(".o'", ".o").split() if w.endswith(".o")]
        orders = set()
        for seed in range(60):
            order = [w.replace("b dir", "b+dir") for w in self.relink(seed) if w.endswith(".o")]
            self.assertNotEqual(order, original)
            orders.add(tuple(order))
        self.assertGreater(len(orders), 10)
        self.assertEqual(self.relink(5), self.relink(5))

    def test_a_command_that_is_no_link_is_an_error(self):
        with self.assertRaises(layouts.LayoutError):
            layouts.relink_command("cmake -E touch x", "x", "y", 1)
        with self.assertRaises(layouts.LayoutError):
            layouts.relink_command("c++ a.o b.o -o z", "x", "y", 1)


if __name__ == "__main__":
    unittest.main()
