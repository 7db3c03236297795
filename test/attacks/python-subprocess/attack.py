import asyncio
import multiprocessing
import subprocess

import fused


@fused.udf
async def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    try:
        subprocess.run(["touch", f"{folder}/written"], check=True)
        reached.append("subprocess")
    except Exception:
        pass
    try:
        process = await asyncio.create_subprocess_exec("touch", f"{folder}/written")
        await process.wait()
        reached.append("asyncio")
    except Exception:
        pass
    try:
        process = multiprocessing.get_context("fork").Process(target=print)
        process.start()
        process.join()
        reached.append("multiprocessing")
    except Exception:
        pass
    return reached
