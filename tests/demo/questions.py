"""The questions about the flights that the agents ask, and the answers that are right."""

import re

import httpx2

from showing.conversation import Conversation
from showing.failed import expect
from showing.terminal import Terminal
from standins.asking import rows_of

FLIGHTS = 336_776
BEHIND_FENCE = ("outside_fence", "not_found")

_LATEST_AIRLINES = (
    "SELECT a.name, count(*) AS flights, round(avg(f.arr_delay), 1) AS mean_delay "
    "FROM flights f JOIN airlines a USING (carrier) GROUP BY a.name ORDER BY mean_delay DESC LIMIT 5"
)
_WORST_HOURS = (
    "SELECT hour, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay FROM flights "
    "GROUP BY hour HAVING avg(dep_delay) IS NOT NULL ORDER BY mean_delay DESC LIMIT 3"
)
_FOG = (
    "SELECT w.visib < 1 AS fog, count(*) AS flights, round(avg(f.dep_delay), 1) AS mean_delay, "
    "round(100.0 * count(*) FILTER (WHERE f.dep_time IS NULL) / count(*), 1) AS percent_cancelled "
    "FROM flights f JOIN weather w USING (origin, time_hour) GROUP BY fog ORDER BY fog DESC"
)
_OLD_PLANES = (
    "SELECT p.tailnum, p.manufacturer, p.model, p.year, count(*) AS flights FROM flights f "
    "JOIN planes p USING (tailnum) WHERE p.year < $1 GROUP BY p.tailnum ORDER BY p.year, p.tailnum"
)
_TO_HONOLULU = (
    "SELECT time_hour::date AS day, carrier, flight, origin, dep_delay FROM flights "
    "WHERE dest = $1 ORDER BY time_hour, flight"
)
_LATE_SATURDAYS = (
    "SELECT count(*) FROM flights WHERE extract(dow FROM time_hour AT TIME ZONE 'America/New_York') = 6 "
    "AND arr_delay > 60"
)


async def find_out(at: Conversation) -> None:
    """What an analyst does: find the tables, look at them, query them."""
    tools = await at.tools()
    expect("query" in tools, "The analyst should see the tool `query`.")
    text = await at.ask("What is there?", "list_databases")
    expect("nycflights" in text, "`list_databases` should name nycflights.")
    text = await at.ask("Where are delays kept?", "search_objects", pattern="delay", kinds=["column"])
    expect("dep_delay" in text, "`search_objects` should find the column dep_delay.")
    text = await at.ask("What is in flights?", "describe_object", 40, name="flights")
    expect("REFERENCES" in text, "`describe_object` should show the foreign keys of flights.")

    text = await at.ask("How many flights are there?", "query", sql="SELECT count(*) FROM flights")
    expect(rows_of(text) == [[FLIGHTS]], f"There should be {FLIGHTS:,} flights.")
    text = await at.ask("Which airlines were latest?", "query", sql=_LATEST_AIRLINES)
    expect(rows_of(text)[0] == ["Frontier Airlines Inc.", 685, 21.9], "Frontier should be the latest.")
    text = await at.ask("Which hours of the day are worst?", "query", sql=_WORST_HOURS, format="markdown")
    expect("| 19 | 21441 | 24.8 |" in text, "The hour from 19:00 should be the worst.")
    text = await at.ask("What does fog do?", "query", sql=_FOG)
    expect(rows_of(text)[0] == [True, 3975, 29.7, 8.9], "In fog the mean delay should be 29.7 minutes.")
    text = await at.ask("Which planes are oldest?", "query", sql=_OLD_PLANES, params=[1960], format="csv")
    expect("N381AA,DOUGLAS,DC-7BF,1956,22" in text, "The oldest plane should be N381AA.")


async def turn_pages(at: Conversation) -> None:
    """An answer that is longer than was asked for, and its next page."""
    first = await at.ask(
        "Who flies to Honolulu? A page of three.", "query", sql=_TO_HONOLULU, params=["HNL"], max_rows=3
    )
    cursor = re.search(r"next_page\(cursor='([^']+)'\)", first)
    expect(cursor, "The page should say that it is truncated, and give the cursor of the next one.")
    second = await at.ask("And the next page.", "next_page", cursor=cursor[1] if cursor else "")
    days = [row[0] for row in rows_of(first) + rows_of(second)]
    expect(days == sorted(days) and len(days) == 6, "Two pages should have six flights, in order.")


async def look_closer(at: Conversation) -> None:
    """A plan with a warning, the role's rights, a resource, a prompt."""
    text = await at.ask("Why is this slow?", "explain", sql=_LATE_SATURDAYS, analyze=True)
    expect("Worth a look:" in text, "`explain` should warn about an estimate that is far off.")
    text = await at.ask("What else could the database role do?", "security_posture")
    expect("can only read" in text, "The role that the script made should only read.")
    text = await at.resource("The same as a resource.", "pg://nycflights/table/public/flights")
    expect("referenced_by" in text or "constraints" in text, "The resource should describe flights.")
    text = await at.prompt("A prompt.", "explore_database", goal="Which airport is worst in winter?")
    expect("search_objects" in text, "The prompt should say how to begin.")


async def try_to_break(at: Conversation) -> None:
    """What nobody may do, whatever the policy says."""
    refused = ("statement_refused",)
    await at.refused("A write.", refused, "query", sql="DELETE FROM flights")
    file = "SELECT pg_read_file('/etc/passwd')"
    await at.refused("A function that reads the server's files.", refused, "query", sql=file)
    text = await at.ask("Nothing is lost.", "query", sql="SELECT count(*) FROM flights")
    expect(rows_of(text) == [[FLIGHTS]], "The refused DELETE must not have deleted anything.")


async def ask_as_intern(at: Conversation) -> None:
    """What policy hides from the intern."""
    tools = await at.tools()
    expect("query" not in tools, "The intern should not see the tool `query`.")
    text = await at.ask("Tables outside of the fence do not show up.", "search_objects")
    expect("public.flights" in text and "weather" not in text, "The fence should hide weather.")
    await at.unknown("A tool that is denied.", "query", sql="SELECT count(*) FROM flights")
    await at.refused("A table outside of the fence.", BEHIND_FENCE, "describe_object", name="weather")


def knock_without_key(terminal: Terminal, url: str) -> None:
    """A stranger learns nothing."""
    terminal.question("Without a key.")
    terminal.call(f"POST {url}", {})
    answer = httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, trust_env=False)
    challenge = answer.headers.get("www-authenticate", "")
    terminal.answer(f"HTTP {answer.status_code}, WWW-Authenticate: {challenge}\n{answer.text}", refused=True)
    expect(answer.status_code == 401, "A call without a key must be refused.")


async def ask_at_the_desk(at: Conversation) -> None:
    """The same over stdio, where the local user may use everything."""
    tools = await at.tools()
    expect("query" in tools, "Over stdio the local user should see the tool `query`.")
    text = await at.ask("Is there anything about the weather?", "search_objects", pattern="weather")
    expect("public.weather" in text, "`search_objects` should find weather.")
    text = await at.ask("What is known of an airline?", "describe_object", name="airlines")
    expect("carrier" in text, "`describe_object` should show the columns of airlines.")
    text = await at.ask("How many flights were there?", "query", sql="SELECT count(*) FROM flights")
    expect(rows_of(text) == [[FLIGHTS]], f"There should be {FLIGHTS:,} flights.")
