"""Makes reference.json and facts.json: the names of the reference and what is known of how they behave. Not part of a test run.

    python make_reference.py NAMES.json BEHAVIOUR.md && npx biome format --write .
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
HEADER = "Names, parameters and defaults of the Python API that this package follows: facts only. Made by make_reference.py."

# Where a class or type is that the list names without a module: as in the published client.
HOMES = {
    "CronJob": "fused.models.api", "CronJobSequence": "fused.models.api._cronjob", "UdfAccessToken": "fused.models",
    "UdfAccessTokenList": "fused.models", "UdfEvaluationResult": "fused.models", "RunResponse": "fused.models",
    "Jobs": "fused.models", "JobResponse": "fused.models", "JobConfig": "fused.models", "JobStepConfig": "fused.models",
    "GeospatialPartitionJobStepConfig": "fused.models", "NonGeospatialPartitionJobStepConfig": "fused.models",
    "UdfJobStepConfig": "fused.models", "ListDetails": "fused.models.api", "Header": "fused.models", "StorageStr": "fused.core._cache",
    "ExecutionType": "fused._submit", "InstanceType": "fused._run", "CoerceableToJobId": "fused.models.internal.job",
    "ResultType": "fused._run", "AnyBaseUdf": "fused.models.udf", "ExecutionContextProtocol": "fused.core._context", "Status": "fused._submit",
    "GDALOpenConfig": "fused.models.api.job",
}  # fmt: skip


def place(name: str) -> str:
    if "(" in name:  # "fused.secrets (SecretsManager)": an object of that class
        return name.partition(" ")[0]
    return f"{HOMES[name]}.{name}" if name in HOMES else name


def function(entry: dict, owner: str = "") -> dict:
    # Of what the published client does not have any more, all parameters are the reference's own.
    now = [one for one in entry["params"] if one.get("in_client", True) or not entry["client"]]
    parameters = [[one["name"], one["kind"], one["default"]] for one in now]
    old = [one["name"] for one in entry["params"] if one not in now]
    made = {"name": f"{owner}.{entry['name']}" if owner else entry["name"], "parameters": parameters}
    return {**made, **({"old": old} if old else {}), **({"async": True} if entry["async"] else {}), **({} if entry["client"] else {"seedOnly": True})}


def reference(given: dict) -> list[dict]:
    made = [{"group": "functions", **function(one)} for one in (*given["functions"], *given["http"])]
    for one in given["classes"]:
        owner = place(one["name"])
        made.append({"group": "classes", "name": owner})
        if "constructor" in one:
            made.append({"group": "methods", **function(one["constructor"], owner)})
        made += [{"group": "methods", **function(method, owner)} for method in one["methods"]]
        made += [{"group": "attributes", "name": f"{owner}.{attribute['name']}", "default": attribute["default"]} for attribute in one["attributes"]]
    for one in given["options"]:
        made.append({"group": "options", "name": f"fused.options.{one['name']}", "default": one["default"], **({} if one["in_client"] else {"seedOnly": True})})
    made += [{"group": "types", "name": place(one["name"]), "members": one.get("values_or_members", [])} for one in given["types"]]
    made += [{"group": "exceptions", "name": one["name"], "bases": one["bases"], "attributes": one["extra_attributes"]} for one in given["exceptions"]]
    return made


def facts(text: str) -> dict[str, str]:
    text = text[text.index("## Running") :]
    lines = re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)
    run = []
    for line in lines:
        line = re.sub(r"\s*\n\s*", " ", line).strip()
        found = re.fullmatch(r"(.*?) (?:run(?:/read| \(.*\)(?:, read \(.*\))?)?)", line)
        if found:
            run.append(found[1])
    return {f"f{at:03}": fact for at, fact in enumerate(run, 1)}


def main() -> None:
    names, behaviour = (Path(path).read_text() for path in sys.argv[1:])
    entries = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in reference(json.loads(names)))
    (HERE / "reference.json").write_text(f'{{"about": {json.dumps(HEADER)},\n "entries": [\n{entries}\n]}}\n')
    (HERE / "facts.json").write_text(json.dumps(facts(behaviour), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
