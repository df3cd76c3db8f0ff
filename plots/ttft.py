"""Time to first token: cold (from exec) and warm (from the prompt handed over)."""
import bars

NAME = "ttft"


def draw(run):
    return bars.figure(run, [("ttft_cold_ms", "cold: exec to first token"),
                             ("ttft_ms", "warm: prompt to first token")],
                       "Time to first token", "milliseconds",
                       "Medians over processes with 95 % intervals; shorter is better.")
