import asyncio
import atexit
import gc
import os
import sys
import weakref

import fused


def act(name):
    open(f"/tmp/left_{name}", "w").close()


class Late:
    def __del__(self):
        act("finalizer")


class Watched:
    pass


def audit(event, args):
    if event == "open" and "trigger" in str(args):
        act("audit")


def collected(phase, info):
    act("collector")


async def task():
    await asyncio.sleep(0.005)
    act("task")
    while True:
        await asyncio.sleep(0.01)


def trace(frame, event, argument):
    act("trace")
    return None


@fused.udf
async def udf():
    # All of these would act now.
    await asyncio.sleep(0.05)
    gc.collect()
    open("/tmp/trigger", "w").close()
    names = ["task", "timer", "finalizer", "weak reference", "collector", "audit", "trace", "exit", "signal"]
    reached = [name for name in names if os.path.exists(f"/tmp/left_{name}")]
    if sys.excepthook is not sys.__excepthook__ and getattr(sys.excepthook, "__name__", "") == "<lambda>":
        reached.append("exception hook")
    if getattr(sys.displayhook, "__name__", "") == "<lambda>":
        reached.append("displayed")

    loop = asyncio.get_running_loop()
    loop.call_later(0.01, act, "timer")
    asyncio.ensure_future(task())
    late = Late()
    late.me = late
    watched = Watched()
    watched.me = watched
    weakref.finalize(watched, act, "weak reference")
    gc.callbacks.append(collected)
    sys.addaudithook(audit)
    atexit.register(act, "exit")
    sys.excepthook = lambda *args: None
    sys.displayhook = lambda *args: None
    sys.setprofile(trace)
    return reached
