"""The fake GitHub itself: what tests of the connector lean on."""

import base64
import time
from collections.abc import Generator
from typing import Any

import httpx2 as httpx
import pytest

from standins.github.seeded import seeded
from standins.github.serve import serving
from standins.github.state import FakeGitHub

_WIDGETS = "/repos/acme/widgets"


@pytest.fixture
def web(fake: FakeGitHub) -> Generator[httpx.Client]:
    with client(fake, fake.token()) as made:
        yield made


def client(fake: FakeGitHub, token: str, prefix: str = "") -> httpx.Client:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.Client(base_url=fake.url + prefix, headers=headers, timeout=5)


def asked(web: httpx.Client, query: str, **variables: Any) -> Any:
    return web.post("/graphql", json={"query": query, "variables": variables}).json()


def test_pages_are_linked_by_full_addresses_of_the_host_and_prefix(fake: FakeGitHub) -> None:
    for number in range(35):
        fake.repositories["acme/widgets"].issue(f"More {number}")
    with client(fake, fake.token(), "/api/v3") as web:
        first = web.get(f"{_WIDGETS}/issues")
        second = web.get(first.links["next"]["url"])
    assert (len(first.json()), len(second.json())) == (30, 8)
    assert first.links["last"]["url"] == f"{fake.url}/api/v3{_WIDGETS}/issues?page=2&after=Y3Vyc29y1"
    assert "next" not in second.links


def test_a_known_etag_is_304_and_costs_nothing(web: httpx.Client) -> None:
    first = web.get(f"{_WIDGETS}/issues/1")
    again = web.get(f"{_WIDGETS}/issues/1", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]


def test_unknown_tokens_are_401_and_hidden_repositories_404(fake: FakeGitHub) -> None:
    with client(fake, "ghp_nobody") as web:
        refused = web.get("/user")
    with client(fake, fake.token("narrow", scopes=["read:org"])) as web:
        hidden = web.get("/repos/acme/secret")
    assert (refused.status_code, refused.json()["message"]) == (401, "Bad credentials")
    assert (hidden.status_code, hidden.json()["message"]) == (404, "Not Found")


def test_classic_tokens_tell_scopes_and_fine_grained_ones_miss_permissions(fake: FakeGitHub) -> None:
    with client(fake, fake.token()) as web:
        assert web.get("/user").headers["x-oauth-scopes"] == "repo, workflow, read:org"
    with client(fake, fake.token("fine", kind="fine", permissions={"issues": "read"})) as web:
        refused = web.post(f"{_WIDGETS}/issues", json={"title": "New"})
    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by personal access token"
    assert refused.headers["x-accepted-github-permissions"] == "issues=write"


def test_a_used_up_limit_is_403_with_nothing_remaining(fake: FakeGitHub, web: httpx.Client) -> None:
    fake.limit = 1
    assert web.get(_WIDGETS).headers["x-ratelimit-remaining"] == "0"
    refused = web.get(_WIDGETS)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")


@pytest.mark.parametrize(
    ("kind", "status", "header"),
    [
        ("401", 401, None),
        ("403", 403, None),
        ("primary", 403, "x-ratelimit-reset"),
        ("primary-429", 429, "x-ratelimit-reset"),
        ("secondary", 403, "retry-after"),
        ("404", 404, None),
        ("409", 409, None),
        ("422", 422, None),
        ("500", 500, None),
        ("502", 502, None),
    ],
)
def test_faults_strike_as_often_as_told(
    fake: FakeGitHub, web: httpx.Client, kind: str, status: int, header: str | None
) -> None:
    fake.fault("/repos/*", "GET", kind)
    struck = web.get(_WIDGETS)
    assert struck.status_code == status
    assert header is None or header in struck.headers
    assert web.get(_WIDGETS).status_code == 200
    assert [one.status for one in fake.asked("GET", _WIDGETS)] == [status, 200]


def test_a_slow_answer_comes_late(fake: FakeGitHub, web: httpx.Client) -> None:
    fake.fault(_WIDGETS, "GET", "slow", seconds=0.2)
    began = time.monotonic()
    assert web.get(_WIDGETS).status_code == 200
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("kind", "done"), [("cut", 4), ("done-cut", 5)])
def test_a_cut_connection_did_the_work_or_not(
    fake: FakeGitHub, web: httpx.Client, kind: str, done: int
) -> None:
    fake.fault(f"{_WIDGETS}/issues", "POST", kind)
    with pytest.raises(httpx.TransportError):
        web.post(f"{_WIDGETS}/issues", json={"title": "New"})
    assert len(fake.repositories["acme/widgets"].issues) == done
    assert [one.status for one in fake.requests] == [0]


def test_a_client_that_gives_up_leaves_work_that_was_done(fake: FakeGitHub, web: httpx.Client) -> None:
    fake.fault(f"{_WIDGETS}/issues", "POST", "done-slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        web.post(f"{_WIDGETS}/issues", json={"title": "New"}, timeout=0.2)
    assert len(fake.repositories["acme/widgets"].issues) == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", f"{_WIDGETS}/issues", {"title": ["New"]}, "body title"),
        ("POST", f"{_WIDGETS}/issues", {"title": "New", "colour": "red"}, "no field `colour`"),
        ("POST", f"{_WIDGETS}/issues", {}, "'title' is a required property"),
        ("GET", f"{_WIDGETS}/issues?perPage=3", None, "no query parameter `perPage`"),
        ("GET", f"{_WIDGETS}/issues?state=ajar", None, "'ajar' is not one of"),
        ("GET", f"{_WIDGETS}/wibble", None, "GitHub has no such operation"),
        ("GET", f"{_WIDGETS}/stargazers", None, "the fake has no route"),
        ("POST", "/graphql", {"query": "{ viewer { nickname } }"}, "Cannot query field 'nickname'"),
        ("POST", "/graphql", {"query": "{ viewer { bio } }"}, "the fake has no User.bio"),
    ],
)
def test_what_github_does_not_know_is_a_violation(method: str, path: str, body: Any, said: str) -> None:
    fake = seeded()
    with serving(fake), client(fake, fake.token()) as web:
        assert web.request(method, path, json=body).status_code == 599
    assert said in "; ".join(fake.violations)


READS = [
    "/user",
    "/users/mona",
    "/rate_limit",
    "/user/repos",
    "/orgs/acme/repos",
    "/users/mona/repos",
    "W",
    "W/readme",
    "W/languages",
    "W/branches",
    "W/branches/main",
    "W/tags",
    "W/git/ref/heads/main",
    "W/git/matching-refs/heads/",
    "W/contents/",
    "W/contents/src",
    "W/contents/src/spin.py",
    "W/git/trees/main?recursive=1",
    "W/commits",
    "W/commits?path=src",
    "W/commits/feature",
    "W/compare/main...feature",
    "W/releases",
    "W/releases/latest",
    "W/releases/tags/v1.0",
    "W/issues",
    "W/issues/1",
    "W/labels",
    "W/issues/1/comments",
    "W/issues/4/timeline",
    "W/issues/1/sub_issues",
    "W/issues/1/labels",
    "W/milestones",
    "W/assignees",
    "W/pulls",
    "W/pulls/4",
    "W/pulls/4/files",
    "W/pulls/4/commits",
    "W/pulls/4/reviews",
    "W/pulls/4/comments",
    "W/commits/feature/check-runs",
    "W/commits/feature/status",
    "W/commits/feature/statuses",
    "W/actions/workflows",
    "W/actions/workflows/ci.yml",
    "W/actions/runs",
    "W/actions/workflows/ci.yml/runs",
    "/search/issues?q=wobbles+repo:acme/widgets",
    "/search/code?q=spin",
    "/search/repositories?q=widgets",
    "/search/commits?q=spin",
    "/search/users?q=mona",
]


@pytest.mark.parametrize("path", READS)
def test_every_read_answers_as_github_describes(web: httpx.Client, path: str) -> None:
    answer = web.get(path.replace("W", _WIDGETS))
    assert answer.status_code == 200, answer.text
    assert web.base_url.host in answer.text or "http" not in answer.text


def test_git_names_objects_as_git_does(fake: FakeGitHub) -> None:
    repo = fake.repository("acme/empty")
    repo.commit("main", {"README.md": "hello\n"})
    assert repo.at("main").files == {"README.md": "ce013625030ba8dba906f756967f9e9ca394464a"}


def test_a_file_comes_raw_too(web: httpx.Client) -> None:
    answer = web.get(f"{_WIDGETS}/contents/logo.png", headers={"accept": "application/vnd.github.raw+json"})
    assert answer.content.startswith(b"\x89PNG")


def test_issues_labels_and_people_change_one_by_one(web: httpx.Client) -> None:
    made = web.post(f"{_WIDGETS}/issues", json={"title": "New", "labels": ["bug"]})
    issue = f"{_WIDGETS}/issues/{made.json()['number']}"
    assert made.status_code == 201
    assert web.post(f"{issue}/labels", json={"labels": ["new one"]}).status_code == 200
    assert [one["name"] for one in web.delete(f"{issue}/labels/bug").json()] == ["new one"]
    assert web.delete(f"{issue}/labels/bug").status_code == 404
    assert web.post(f"{issue}/assignees", json={"assignees": ["mona", "nobody"]}).status_code == 201
    body = {"assignees": ["mona"]}
    assert web.request("DELETE", f"{issue}/assignees", json=body).json()["assignees"] == []
    closed = web.patch(issue, json={"state": "closed", "state_reason": "not_planned"}).json()
    assert (closed["state"], closed["state_reason"]) == ("closed", "not_planned")
    comment = web.post(f"{issue}/comments", json={"body": "Hm"})
    assert comment.status_code == 201
    path = comment.json()["url"].removeprefix(str(web.base_url).rstrip("/"))
    assert web.patch(path, json={"body": "Ah"}).json()["body"] == "Ah"
    assert web.post(f"{_WIDGETS}/issues", json={"title": " "}).json()["errors"] == [
        {"resource": "Issue", "field": "title", "code": "missing_field"}
    ]


def test_a_pull_request_is_made_reviewed_and_merged(fake: FakeGitHub, web: httpx.Client) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.commit("more", {**{f"many/{n}.txt": f"{n}\n" for n in range(120)}, "README.md": "# New\n"})
    made = web.post(f"{_WIDGETS}/pulls", json={"title": "More", "head": "more", "base": "main"})
    assert made.status_code == 201
    pull = f"{_WIDGETS}/pulls/{made.json()['number']}"
    files = web.get(f"{pull}/files?per_page=100")
    assert (len(files.json()), "next" in files.links) == (100, True)
    assert files.json()[0]["patch"] == "@@ -0,0 +1 @@\n+# New" or files.json()[0]["filename"] == "README.md"
    diff = web.get(pull, headers={"accept": "application/vnd.github.diff"})
    assert diff.text.startswith("diff --git a/README.md b/README.md\n")
    assert web.post(f"{pull}/requested_reviewers", json={"reviewers": ["mona"]}).status_code == 201
    assert (
        web.request("DELETE", f"{pull}/requested_reviewers", json={"reviewers": ["mona"]}).status_code == 200
    )
    assert web.post(f"{pull}/reviews", json={"event": "APPROVE"}).status_code == 422
    with client(fake, fake.token("mona", login="mona")) as mona:
        comments = [{"path": "many/1.txt", "line": 1, "body": "Why?"}]
        body = {"event": "COMMENT", "body": "Hm", "comments": comments}
        assert mona.post(f"{pull}/reviews", json=body).status_code == 200
        wrong = body | {"comments": [{"path": "many/1.txt", "line": 9, "body": "Why?"}]}
        assert mona.post(f"{pull}/reviews", json=wrong).json()["errors"] == ["Line could not be resolved"]
    first = web.get(f"{pull}/comments").json()[0]["id"]
    assert web.post(f"{pull}/comments/{first}/replies", json={"body": "Because"}).status_code == 201
    assert web.put(f"{pull}/merge", json={"sha": "0" * 40}).status_code == 409
    merged = web.put(f"{pull}/merge", json={"sha": repo.heads["more"], "merge_method": "squash"})
    assert merged.json()["merged"] is True
    assert repo.read("README.md") == b"# New\n"
    assert web.get(pull).json()["merged"] is True


def test_a_branch_is_brought_up_to_date_only_from_the_head_that_was_seen(
    fake: FakeGitHub, web: httpx.Client
) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.commit("main", {"late.txt": "late\n"})
    path = f"{_WIDGETS}/pulls/4/update-branch"
    assert web.put(path, json={"expected_head_sha": "0" * 40}).status_code == 422
    assert web.put(path, json={"expected_head_sha": repo.heads["feature"]}).status_code == 202
    assert repo.read("late.txt", "feature") == b"late\n"
    assert web.get(f"{_WIDGETS}/compare/main...feature").json()["behind_by"] == 0


def test_runs_advance_by_their_script_and_give_logs(fake: FakeGitHub, web: httpx.Client) -> None:
    fake.dispatched = ["in_progress", "failure"]
    path = f"{_WIDGETS}/actions/workflows/ci.yml/dispatches"
    body = {"ref": "main", "inputs": {"target": "x"}}
    made = web.post(path, json=body | {"return_run_details": True})
    run = f"{_WIDGETS}/actions/runs/{made.json()['workflow_run_id']}"
    ends = [(one["status"], one["conclusion"]) for one in (web.get(run).json() for _ in range(3))]
    assert ends == [("in_progress", None), ("completed", "failure"), ("completed", "failure")]
    assert web.post(f"{run}/cancel").status_code == 409
    assert web.post(f"{run}/rerun-failed-jobs").status_code == 201
    assert web.get(f"{run}/attempts/1").json()["run_attempt"] == 1
    assert web.post(f"{run}/cancel").status_code == 202
    fake.old_server = "refuses"
    assert web.post(path, json=body | {"return_run_details": True}).status_code == 422
    assert web.post(path, json=body).status_code == 204
    failed = fake.repositories["acme/widgets"].runs[1]
    jobs = web.get(f"{_WIDGETS}/actions/runs/{failed.id}/jobs").json()["jobs"]
    log = web.get(f"{_WIDGETS}/actions/jobs/{jobs[1]['id']}/logs")
    assert log.status_code == 302
    assert "FAILED tests/test_spin.py" in web.get(log.headers["location"]).text
    assert web.get(f"{_WIDGETS}/actions/runs/{failed.id}/artifacts").json()["total_count"] == 1


def test_releases_are_made_from_drafts_with_notes(fake: FakeGitHub, web: httpx.Client) -> None:
    body = {"tag_name": "v2.0", "draft": True, "generate_release_notes": True}
    made = web.post(f"{_WIDGETS}/releases", json=body)
    assert made.status_code == 201
    assert "v2.0" not in fake.repositories["acme/widgets"].tags
    path = f"{_WIDGETS}/releases/{made.json()['id']}"
    assert web.patch(path, json={"draft": False}).json()["published_at"] is not None
    assert web.get(f"{_WIDGETS}/releases/tags/v2.0").status_code == 200
    assert web.post(f"{_WIDGETS}/releases/generate-notes", json={"tag_name": "v3"}).status_code == 200
    again = web.post(f"{_WIDGETS}/releases", json={"tag_name": "v2.0"})
    assert again.json()["errors"][0]["code"] == "already_exists"


THREADS = """query($number: Int!) { repository(owner: "acme", name: "widgets") {
  pullRequest(number: $number) {
  reviewDecision closingIssuesReferences(first: 5) { nodes { number } }
  reviewThreads(first: 1) { totalCount pageInfo { hasNextPage endCursor } nodes {
    id isResolved path line comments(first: 10) { nodes { databaseId body author { login } } } } } } } }"""


def test_graphql_reads_threads_and_resolves_them(fake: FakeGitHub, web: httpx.Client) -> None:
    found = asked(web, THREADS, number=4)["data"]["repository"]["pullRequest"]
    assert found["closingIssuesReferences"] == {"nodes": [{"number": 1}]}
    assert found["reviewDecision"] == "CHANGES_REQUESTED"
    thread = found["reviewThreads"]["nodes"][0]
    assert found["reviewThreads"]["pageInfo"] == {"hasNextPage": True, "endCursor": "1"}
    assert [one["author"]["login"] for one in thread["comments"]["nodes"]] == ["octocat", "mona"]
    resolve = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"
    answer = asked(web, resolve, id=thread["id"])
    assert answer == {"data": {"resolveReviewThread": {"thread": {"isResolved": True}}}}
    reply = """mutation($id: ID!) { addPullRequestReviewThreadReply(
      input: {pullRequestReviewThreadId: $id, body: "Done"}) { comment { body } } }"""
    assert asked(web, reply, id=thread["id"])["data"]["addPullRequestReviewThreadReply"]["comment"] == {
        "body": "Done"
    }
    missing = asked(web, resolve, id="PRRT_0")
    assert (missing["errors"][0]["type"], missing["data"]) == ("NOT_FOUND", {"resolveReviewThread": None})
    assert fake.repositories["acme/widgets"].pull_of(4).threads[0].resolved


def test_graphql_lists_by_labels_and_by_search(web: httpx.Client) -> None:
    listed = """{ repository(owner: "acme", name: "widgets") { issues(first: 10, labels: ["bug"],
      states: [OPEN], orderBy: {field: UPDATED_AT, direction: DESC}) {
      nodes { number title labels(first: 5) { nodes { name } } } }
      pullRequests(first: 5) { totalCount } } }"""
    repository = asked(web, listed)["data"]["repository"]
    assert repository["issues"]["nodes"] == [
        {"number": 1, "title": "It wobbles", "labels": {"nodes": [{"name": "bug"}]}}
    ]
    assert repository["pullRequests"] == {"totalCount": 1}
    found = """{ search(type: ISSUE, first: 5, query: "repo:acme/widgets is:pr is:open") { issueCount nodes {
      __typename ... on PullRequest { number isDraft } ... on Issue { number } } } }"""
    assert asked(web, found)["data"]["search"] == {
        "issueCount": 1,
        "nodes": [{"__typename": "PullRequest", "number": 4, "isDraft": False}],
    }


COMMIT = """mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid url } } }"""


def test_graphql_commits_onto_the_expected_head_only(fake: FakeGitHub, web: httpx.Client) -> None:
    repo = fake.repositories["acme/widgets"]
    contents = base64.b64encode(b"new\n").decode()
    changes = {"additions": [{"path": "new.txt", "contents": contents}], "deletions": [{"path": "logo.png"}]}
    wanted = {
        "branch": {"repositoryNameWithOwner": "acme/widgets", "branchName": "main"},
        "expectedHeadOid": repo.heads["main"],
        "message": {"headline": "New"},
        "fileChanges": changes,
    }
    oid = asked(web, COMMIT, input=wanted)["data"]["createCommitOnBranch"]["commit"]["oid"]
    assert (repo.heads["main"], repo.read("new.txt"), "logo.png" in repo.at("main").files) == (
        oid,
        b"new\n",
        False,
    )
    stale = asked(web, COMMIT, input=wanted)
    assert stale["errors"][0]["type"] == "STALE_DATA"


def test_graphql_turns_drafts_and_merges_later(fake: FakeGitHub, web: httpx.Client) -> None:
    repo = fake.repositories["acme/widgets"]
    repo.pull_of(4).mergeable_state = "blocked"
    name = web.get(f"{_WIDGETS}/pulls/4").json()["node_id"]
    draft = """mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) {
      pullRequest { isDraft } } }"""
    assert asked(web, draft, id=name)["data"]["convertPullRequestToDraft"]["pullRequest"] == {"isDraft": True}
    ready = draft.replace("convertPullRequestToDraft", "markPullRequestReadyForReview")
    assert asked(web, ready, id=name)["data"]["markPullRequestReadyForReview"]["pullRequest"] == {
        "isDraft": False
    }
    auto = """mutation($id: ID!) {
      enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: SQUASH}) {
      pullRequest { autoMergeRequest { mergeMethod } } } }"""
    assert "errors" not in asked(web, auto, id=name)
    assert web.get(f"{_WIDGETS}/pulls/4").json()["auto_merge"]["merge_method"] == "squash"


def test_enterprise_graphql_is_below_api(fake: FakeGitHub) -> None:
    with client(fake, fake.token(), "/api") as web:
        assert asked(web, "{ viewer { login url } }") == {
            "data": {"viewer": {"login": "octocat", "url": f"{fake.url}/octocat"}}
        }
