"""What UDFs do there: cache, downloads, other UDFs, secrets, context."""

import fused
from scenarios import PLACE, ask, equal, fails, name, run, save, save_as, scenario, source


@scenario("@fused.cache runs a function once")
def _() -> None:
    code = "import fused\nimport random\n\n@fused.cache\ndef slow(n):\n    return random.random()\n\n@fused.udf\ndef udf(n: int = 1):\n    return [slow(n), slow(n)]\n"
    first, second = fused.run(code)
    equal(first, second)
    equal(fused.run(code), [first, first])
    assert fused.run(code, n=2) != [first, first]


@scenario("@fused.cache with a table")
def _() -> None:
    code = "import fused\nimport pandas as pd\n\n@fused.cache\ndef table():\n    return pd.DataFrame({'a': [1, 2]})\n\n@fused.udf\ndef udf():\n    table()\n    return table()\n"
    equal(fused.run(code).a.tolist(), [1, 2])


@scenario("fused.download fetches what was granted, once")
def _() -> None:
    path = name("cities")
    code = source(f"path = fused.download('{PLACE.files_url}/{path}.csv', '{path}.csv')\nreturn open(path).read()")
    equal(fused.run(code), "city,population\nOslo,717710\n")
    equal(fused.run(code), "city,population\nOslo,717710\n")


@scenario("a URL is read by pandas")
def _() -> None:
    equal(run(f"return int(pd.read_csv('{PLACE.files_url}/a.csv').population[0])", imports="import pandas as pd"), 717710)


@scenario("a UDF runs another by its name")
def _() -> None:
    inner = save("return n * 3", "n: int = 1")
    equal(fused.run(source(f"return fused.run('{inner.name}', n=5) + 1")), 16)


@scenario("a UDF gets tables of others, which it need not import pandas for")
def _() -> None:
    table = save("return pd.DataFrame({'n': range(n)})", "n: int = 2", imports="import pandas as pd")
    equal(fused.run(source(f"return fused.run('{table.name}')")).n.tolist(), [0, 1])
    equal(fused.run(source(f"return fused.load('{table.name}')(3)")).n.tolist(), [0, 1, 2])
    equal(fused.run(source(f"return fused.load('{table.name}').map([1, 2]).df()")).n.tolist(), [0, 0, 1])


@scenario("a UDF runs another by a token")
def _() -> None:
    token = save("return n * 3", "n: int = 1").create_access_token().token
    equal(fused.run(source(f"return fused.run('{token}', n=2)")), 6)


@scenario("a UDF loads one from GitHub, as far as it may reach that")
def _() -> None:
    address = "https://github.com/ada/maps/blob/main/seven.py"
    equal(fused.run(source(f"seven = fused.load('{address}')\nreturn [seven.name, seven.seven_times(2), seven(n=3)]")), ["seven", 14, 21])
    fails("UdfRuntimeError", "There is nothing at", fused.run, source(f"fused.load('{address.replace('seven', 'eight')}')"))
    # Without a meta.json, the other host of GitHub is asked for a list.
    fails("UdfRuntimeError", "--allow-net=api.github.com:443", fused.run, source("fused.load('https://github.com/ada/maps')"))


@scenario("a UDF runs many others at once")
def _() -> None:
    inner = save("return n * n", "n: int = 1")
    found = fused.run(source(f"return fused.submit('{inner.name}', [dict(n=n) for n in range(5)], collect=False).results()"))
    equal(found, [0, 1, 4, 9, 16])


@scenario("a UDF gives a page as FastAPI does, and a pool of threads runs one after another")
def _() -> None:
    page = source("from fastapi import Response\nreturn Response('<b>ä</b>', media_type='text/html; charset=utf-8')")
    equal(fused.run(page), "<b>ä</b>")
    pool = source("from concurrent.futures import ThreadPoolExecutor\nreturn list(ThreadPoolExecutor(4).map(str, range(3)))")
    equal(fused.run(pool), ["0", "1", "2"])


@scenario("what another UDF raises is raised")
def _() -> None:
    inner = save("raise ValueError('deep inside')")
    fails("UdfRuntimeError", "deep inside", fused.run, source(f"return fused.run('{inner.name}')"))


@scenario("a stranger's UDF is not run by a UDF either")
def _() -> None:
    slug = save_as(PLACE.stranger_token, "hidden", source("return 1"))
    fails("UdfRuntimeError", slug, fused.run, source(f"return fused.run('stranger/{slug}')"))


@scenario("secrets: set, list, read, delete")
def _() -> None:
    key = name("KEY").upper()
    fused.secrets[key] = "s3cret"
    equal((fused.secrets[key], key in list(fused.secrets)), ("s3cret", True))
    fused.secrets[key] = "other"
    equal(getattr(fused.secrets, key), "other")
    del fused.secrets[key]
    assert key not in list(fused.secrets)


@scenario("a user's secrets by the other routes")
def _() -> None:
    key = name("KEY").upper()
    ask("POST", f"/server/v1/secrets/self/user/{key}", {"value": "v"}, fused.api.access_token())
    assert key in list(fused.user_secrets)
    equal(fused.user_secrets[key], "v")


@scenario("a UDF gets a secret that it was granted")
def _() -> None:
    fused.secrets["API_KEY"] = "granted value"
    equal(run("return fused.secrets['API_KEY'] == 'granted value'"), True)


@scenario("a UDF gets no secret that it was not granted")
def _() -> None:
    fused.secrets["OTHER_KEY"] = "hidden"
    fails("UdfRuntimeError", "OTHER_KEY", fused.run, source("return fused.secrets['OTHER_KEY']"))


@scenario("a secret is its owner's")
def _() -> None:
    fused.secrets["API_KEY"] = "granted value"
    fails("HTTPError", "404", ask, "GET", "/server/v1/secrets/self/user/API_KEY", token=PLACE.teammate_token)


@scenario("the context: who runs it, and where")
def _() -> None:
    body = "c = fused.context\nreturn [c.get_user_email(), c.in_realtime(), c.in_batch(), c.get_realtime_client_id()]"
    equal(fused.run(source(body)), ["ada@example.org", True, False, "fuselet"])


@scenario("a UDF knows who runs it, and has no token")
def _() -> None:
    equal(fused.run(source("return fused.api.whoami()")), fused.api.whoami())
    fails("UdfRuntimeError", "no access token", fused.run, source("return fused.api.access_token()"))
    fails("UdfRuntimeError", "a UDF gets no token of its user", fused.run, source("return fused.api.team_info()"))


@scenario("a UDF that runs by a link is told of nobody who is signed in")
def _() -> None:
    token = save("return fused.api.whoami()").create_access_token().token
    fails("UdfRuntimeError", "nobody is signed in to this run", fused.run, token)


@scenario("a denial names who can grant it, and not how a command is run again")
def _() -> None:
    body = "import urllib.request\nreturn urllib.request.urlopen('http://127.0.0.1:9/').status"
    error = fails(Exception, "Whoever runs this server can grant it (fuselet serve --allow-net=127.0.0.1:9)", fused.run, source(body))
    assert "run again" not in str(error), error


@scenario("the context: the headers of the request")
def _() -> None:
    before = fused.options.default_run_headers
    fused.options.default_run_headers = {**before, "X-Mine": "yes"}
    try:
        found = fused.run(source("return [fused.context.get_header('x-mine'), fused.context.get_header('authorization')]"))
    finally:
        fused.options.default_run_headers = before
    equal(found, ["yes", None])


@scenario("the context: the token that a run came with")
def _() -> None:
    token = save("return fused.context.get_share_token()").create_access_token().token
    equal(fused.run(token), token)
    equal(fused.run(source("return fused.context.get_share_token()")), None)
