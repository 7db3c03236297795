import builtins

import fused

EMAILS = {"victim": "victim@example.org", "attacker": "attacker@example.org"}

if not hasattr(builtins, "kept"):
    builtins.kept = []


@fused.udf
def udf(who: str):
    found = fused.context.get_global_context()
    contexts = [found, *builtins.kept]
    reached = []
    for each in contexts:
        if each.user_email is not None and each.user_email != EMAILS.get(who):
            reached.append(f"{each.user_email} by {who}")
        if (each.headers or each.share_token) and who != "victim":
            reached.append(f"headers by {who}")
    builtins.kept.append(found)
    return reached
