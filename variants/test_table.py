"""The variant table: what is in it holds together, and each way of getting it wrong is said plainly."""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import table as t

HERE = pathlib.Path(t.__file__).resolve().parent
EVERYTHING = list(t.NEEDS)


def rows(toolchain="gcc", best="AVX3_ZEN4", have=None, table=None):
    table = table or t.load(HERE / "variants.json")
    return {row["name"]: row for row in t.resolve(table, toolchain, best, EVERYTHING if have is None else have, "/b")}


class TheTable(unittest.TestCase):
    def test_holds_every_variant_of_the_design(self):
        groups = {}
        for row in rows().values():
            groups.setdefault(row["group"], set()).add(row["name"])
        self.assertEqual(groups["core"], {"o2", "native", "lto", "pgo-instrumented", "pgo", "size"})
        self.assertEqual(groups["guide"], {"tier0", "native-pgo", "production"})
        self.assertLessEqual({"o3", "static", "scalar", "bolt"}, groups["extra"])

    def test_has_every_cell_of_the_factorial_once(self):
        cells = [(r["isa"], r["lto"], r["pgo"]) for r in rows().values()
                 if r["opt"] == ["-O2"] and r["isa"] != "scalar" and r["pgo"] != "instrument"
                 and r["link"] == "dynamic" and r["post"] == "none"]
        self.assertEqual(sorted(cells), sorted((i, l, p) for i in ("baseline", "native") for l in ("none", "full")
                                               for p in ("none", "use")))

    def test_contraction_is_off_and_fast_math_absent_in_every_row(self):
        for toolchain in t.TOOLCHAINS:
            for row in rows(toolchain).values():
                self.assertIn("-ffp-contract=off", row["compile"])
                self.assertFalse([f for f in row["compile"] if "fast-math" in f or f == "-Ofast"], row["name"])

    def test_profile_users_differ_from_their_trainer_only_in_what_comes_after_the_profile(self):
        all_rows = rows()
        for row in all_rows.values():
            if row["trained_by"]:
                trainer = all_rows[row["trained_by"]]
                self.assertEqual(row["defines"], trainer["defines"])
                self.assertIn("-fprofile-generate", trainer["compile"])
                self.assertTrue(any(f.startswith(f"-fprofile-use=/b/pgo/{trainer['name']}/") for f in row["compile"]))


class Resolving(unittest.TestCase):
    def test_of_a_lacking_toolchain_every_row_is_skipped_with_the_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(t.main(["--toolchain", "clang", "--build-dir", folder, "--lacking", "needs clang++"]), 0)
            found = json.loads((pathlib.Path(folder) / "variants/rows.json").read_text())
        self.assertEqual({(r["buildable"], r["reason"]) for r in found["variants"]}, {(False, "needs clang++")})
        self.assertEqual(found["toolchain"], "clang")

    def test_native_asks_for_zen4_only_where_it_is_the_best(self):
        self.assertIn("HWY_WANT_AVX3_ZEN4", rows(best="AVX3_ZEN4")["native"]["defines"])
        self.assertNotIn("HWY_WANT_AVX3_ZEN4", rows(best="AVX3_DL")["native"]["defines"])
        self.assertEqual(rows(best="AVX3_DL")["native"]["expected_target"], "AVX3_DL")
        self.assertEqual(rows(best="AVX3_DL")["scalar"]["expected_target"], "EMU128")

    def test_rows_that_are_compiled_alike_share_their_objects(self):
        shared = {toolchain: {name: row["objects_of"] for name, row in rows(toolchain).items() if row["objects_of"]}
                  for toolchain in t.TOOLCHAINS}
        self.assertEqual(shared["gcc"], {"static": "o2"})  # GCC's bolt row is compiled without split functions
        self.assertEqual(shared["clang"], {"static": "o2", "bolt": "o2"})

    def test_a_row_that_cannot_be_built_shares_nothing(self):
        table = t.load(HERE / "variants.json")
        table["factors"]["dispatch"]["dynamic"]["needs"] = ["lld"]
        self.assertFalse([r["name"] for r in rows(have=[], table=table).values() if r["objects_of"]])

    def test_toolchains_get_their_own_flags(self):
        self.assertIn("-flto=auto", rows("gcc")["lto"]["compile"])
        self.assertIn("-flto=thin", rows("clang")["lto"]["compile"])
        self.assertNotIn("-flto=auto", rows("clang")["lto"]["flags"])
        self.assertIn("-fprofile-use=/b/pgo/native-instrumented/merged.profdata",
                      rows("clang")["production"]["compile"])

    def test_a_lacking_tool_names_its_package_and_reaches_those_that_it_trains(self):
        all_rows = rows("clang", have=["lld", "static-pcre2"])
        self.assertFalse(all_rows["pgo"]["buildable"])
        self.assertIn("llvm-19", all_rows["pgo"]["reason"])
        self.assertIn("bolt-19", all_rows["bolt"]["reason"])
        self.assertTrue(all_rows["lto"]["buildable"])
        table = t.load(HERE / "variants.json")
        for row in table["variants"]:
            if row["name"] == "pgo-instrumented":
                row["toolchains"] = ["clang"]
        self.assertIn("pgo-instrumented", rows(table=table)["pgo"]["reason"])

    def test_cmake_sees_text_with_quotes_and_spaces_as_it_is(self):
        text = t.as_cmake(t.load(HERE / "variants.json"), list(rows().values()))
        self.assertIn('set(ROW_o2_compile "-O2" "-ffp-contract=off")', text)
        self.assertIn("set(SMALLMIND_GROUPS core guide factorial extra helper)", text)
        self.assertEqual(t._quote('a "b" $c'), '"a \\"b\\" \\$c"')


class Selecting(unittest.TestCase):
    def setUp(self):
        self.table = t.load(HERE / "variants.json")

    def test_groups_and_names_mix_in_the_tables_order(self):
        self.assertEqual(t.select(self.table, "scalar,guide,o2"),
                         ["o2", "tier0", "native-pgo", "production", "scalar"])
        self.assertNotIn("native-instrumented", t.select(self.table, "all"))

    def test_every_group_that_is_listed_means_rows(self):
        groups = subprocess.run([sys.executable, t.__file__, "--list-groups"], capture_output=True, text=True,
                                check=True).stdout.split()
        self.assertEqual(set(groups), {row["group"] for row in self.table["variants"]} - {"helper"} | {"all"})
        for group in groups:
            self.assertTrue(t.select(self.table, group))

    def test_an_unknown_name_is_an_error_that_lists_the_known(self):
        with self.assertRaisesRegex(t.TableError, "no variant or group 'nosuch'.*core.*o2"):
            t.select(self.table, "core,nosuch")


class BadTables(unittest.TestCase):
    def setUp(self):
        self.table = t.load(HERE / "variants.json")

    def fault(self, change):
        table = copy.deepcopy(self.table)
        change(table)
        with self.assertRaises(t.TableError) as caught:
            t.check(table)
        return str(caught.exception)

    def row(self, table, name):
        return next(row for row in table["variants"] if row["name"] == name)

    def test_each_fault_names_the_row_and_the_column(self):
        def misspell(table):
            self.row(table, "lto")["lto"] = "fat"

        self.assertEqual(self.fault(misspell), "row 'lto': lto 'fat' is none of none, full")
        self.assertIn("row 'o3': column 'title' is missing", self.fault(lambda x: self.row(x, "o3").pop("title")))
        self.assertIn("row 'o3': unknown column 'otp'", self.fault(lambda x: self.row(x, "o3").update(otp=[])))
        self.assertIn("column 'strip' must be bool", self.fault(lambda x: self.row(x, "o3").update(strip="no")))
        self.assertIn("'opt' holds 3", self.fault(lambda x: self.row(x, "o3").update(opt=[3])))
        self.assertIn("group 'best'", self.fault(lambda x: self.row(x, "o3").update(group="best")))
        self.assertIn("toolchain 'icc'", self.fault(lambda x: self.row(x, "o3").update(toolchains=["icc"])))
        self.assertIn("names a folder", self.fault(lambda x: self.row(x, "o3").update(name="../o3")))
        self.assertIn("two rows", self.fault(lambda x: self.row(x, "o3").update(name="lto")))
        self.assertIn("row 3: is no object", self.fault(lambda x: x["variants"].__setitem__(3, 7)))

    def test_profiles_must_come_from_a_matching_trainer(self):
        self.assertIn("'trained_by' goes with", self.fault(lambda x: self.row(x, "pgo").pop("trained_by")))
        self.assertIn("no row with pgo 'instrument'", self.fault(lambda x: self.row(x, "pgo").update(trained_by="o3")))
        self.assertIn("cannot come from",
                      self.fault(lambda x: self.row(x, "pgo").update(trained_by="native-instrumented")))

    def test_the_frame_of_the_table_is_checked_too(self):
        self.assertIn("schema", self.fault(lambda x: x.update(schema=2)))
        self.assertIn("variants", self.fault(lambda x: x.update(variants=[])))
        self.assertIn("unknown key 'link_flag'",
                      self.fault(lambda x: x["factors"]["lto"]["full"].update(link_flag=[])))
        self.assertIn("unknown need", self.fault(lambda x: x["factors"]["lto"]["full"].update(needs=["gold"])))
        self.assertIn("'o2' must be there",
                      self.fault(lambda x: x["variants"].remove(self.row(x, "o2"))))

    def test_every_fault_is_reported_at_once(self):
        def two(table):
            self.row(table, "o3")["group"] = "x"
            self.row(table, "lto")["isa"] = "y"

        self.assertEqual(len(self.fault(two).splitlines()), 2)

    def test_the_command_ends_with_2_and_names_the_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({**self.table, "variants": [{"name": "x"}]}, file)
            file.flush()
            run = subprocess.run([sys.executable, t.__file__, "--table", file.name], capture_output=True, text=True,
                                 check=False)
        self.assertEqual(run.returncode, 2)
        self.assertTrue(all(line.startswith(file.name) for line in run.stderr.splitlines()), run.stderr)


if __name__ == "__main__":
    unittest.main()
