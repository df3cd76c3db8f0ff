#!/usr/bin/env python3
"""Speaks the bench protocol without an engine, and misbehaves on request.

  fake_variant.py [fake options] bench -m M -p P -n N -t T -r R [--timers] [--training-text]
  fake_variant.py [fake options] make-model --preset NAME --quant TYPE --seed S --output F

Time stamps are synthetic (no sleeping): the decode speed is --decode-tps, divided by the injected
slowdown, times a log-normal factor of --noise. `--mode` picks the misbehaviour; with --fail-once FILE
it happens only while FILE does not exist, and the file is then made.
"""
import argparse
import hashlib
import json
import os
import random
import signal
import sys
import time


def say(**event):
    sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")


def misbehave(mode):
    sys.stdout.flush()
    if mode == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif mode == "exit":
        sys.stderr.write("smallmind: model.gguf: no such file\n")
        sys.exit(2)
    elif mode == "hang":
        if os.fork() == 0:
            time.sleep(600)
        time.sleep(600)
    elif mode == "garbage":
        sys.stdout.write("Segmentation fold\n\x00\xff{]\n")
    elif mode == "partial":
        sys.stdout.write('{"event":"token","rep":0,"ind')
        sys.stdout.flush()
        sys.exit(0)
    elif mode == "huge":
        block = "x" * 65536 + "\n"
        while True:
            sys.stdout.write(block)


def bench(fake, args):
    rng = random.Random(os.urandom(8))
    mode = fake.mode
    if fake.fail_once:
        if os.path.exists(fake.fail_once):
            mode = "ok"
        else:
            open(fake.fail_once, "w").close()
    now = time.monotonic_ns()
    say(event="hello", protocol=fake.protocol, variant=fake.name, compiler="Fake 1.0", flags="-O2",
        git="abc1234", target=fake.target, static_target="SSE2", dispatch="dynamic",
        threads=args.t, model=args.m, model_name=os.path.basename(args.m), arch="llama",
        weight_type="Q8_0", params=1000000, weight_bytes=1062500, kv="f32")
    for name, offset in (("loaded", 0.5), ("main", 1), ("mapped", 2), ("tokenizer", 3), ("ready", 4)):
        say(event="phase", name=name, t_ns=now + int(offset * 200000), minor_faults=int(100 * offset), major_faults=0)
    if mode not in ("ok", "zero", "nodone"):
        misbehave(mode)
    if fake.sleep:
        time.sleep(fake.sleep)
    t = now + 1000000
    slow = 1 + fake.slowdown / 100 + args.inject_slowdown / 100
    factor = rng.lognormvariate(0, fake.noise) / slow
    for rep in range(args.r):
        start = t
        prefill = int(args.p * 1e9 / (fake.decode_tps * 6 * factor))
        t += 20000 + prefill
        first = t
        tokens = 0 if mode == "zero" else args.n
        for index in range(tokens):
            if index > 0:
                t += int(1e9 / (fake.decode_tps * factor) * rng.lognormvariate(0, 0.01))
            say(event="token", rep=rep, index=index, t_ns=t)
        digest = hashlib.sha256(f"{args.m}{args.p}{args.n}{fake.output}".encode()).hexdigest()
        say(event="rep", rep=rep, prompt_tokens=args.p, gen_tokens=tokens, start_ns=start,
            prefill_ns=prefill, decode_ns=t - first, token_hash=digest[:16],
            logits_hash=digest[16:32])
        t += 50000
    if args.timers:
        say(event="kernels", name="matmul", calls=1000, ns=(t - now) // 2)
    say(event="memory", vm_hwm_kib=20480, rss_anon_kib=10240, rss_file_kib=8192, minor_faults=500,
        major_faults=0, voluntary_switches=10, involuntary_switches=fake.involuntary)
    if mode != "nodone":
        say(event="done")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="fake")
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--decode-tps", type=float, default=200)
    parser.add_argument("--slowdown", type=float, default=0, help="percent")
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--sleep", type=float, default=0)
    parser.add_argument("--output", default="", help="changes the hashes")
    parser.add_argument("--protocol", type=int, default=1)
    parser.add_argument("--target", default="AVX2")
    parser.add_argument("--involuntary", type=int, default=0)
    parser.add_argument("--fail-once", default="")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("bench")
    verb.add_argument("-m")
    verb.add_argument("-p", type=int)
    verb.add_argument("-n", type=int)
    verb.add_argument("-t", type=int)
    verb.add_argument("-r", type=int, default=1)
    verb.add_argument("--timers", action="store_true")
    verb.add_argument("--training-text", action="store_true")
    verb.add_argument("--ceilings", action="store_true")
    verb.add_argument("--inject-slowdown", type=float, default=0)
    verb = verbs.add_parser("make-model")
    verb.add_argument("--preset")
    verb.add_argument("--quant")
    verb.add_argument("--seed")
    verb.add_argument("--output", dest="file")
    args = parser.parse_args()
    if args.verb == "make-model":
        with open(args.file, "w", encoding="utf-8") as file:
            file.write(f"GGUF {args.preset} {args.quant} {args.seed}\n")
    elif args.ceilings:
        for name, value in (("read_gbps", 30.0), ("fma_gflops", 140.0), ("int8_gops", 600.0)):
            say(event="ceiling", name=name, threads=args.t, value=value)
        say(event="done")
    else:
        bench(args, args)


if __name__ == "__main__":
    main()
