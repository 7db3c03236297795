"""A program that asks and takes whatever was typed, for controls."""

import time

print("ready", flush=True)
time.sleep(0.5)
answer = input(" fuselet asks for permission \n┗ Allow? [y/r/a/N] ")
print("it is allowed" if answer.startswith("y") else "it is denied")
