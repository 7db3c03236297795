import fused
import signal
import sys


def spin():
    while True:
        try:
            while True:
                pass
        except BaseException:
            spin()
        finally:
            spin()


@fused.udf
def udf():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    sys.excepthook = lambda *args: spin()
    spin()
