"""A repository: how tests and routes change it. The surface is announced in `state.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from standins.github.conversations import Conversations
from standins.github.models import Check, Job, Release, Run, Workflow


@dataclass
class Repository(Conversations):
    """A repository with all that it holds (`Storage`), what is said there (`Conversations`), and its runs."""

    def check(
        self,
        ref: str,
        name: str,
        *,
        conclusion: str | None = "success",
        status: str | None = None,
        summary: str | None = None,
    ) -> Check:
        now = self.fake.now()
        state = status or ("completed" if conclusion else "in_progress")
        made = Check(self.fake.next_id(), self.sha(ref), name, state, conclusion, now)
        made.completed_at = self.fake.now() if conclusion else None
        made.summary = summary
        self.checks.append(made)
        return made

    def status(self, ref: str, context: str, state: str = "success", description: str = "") -> Check:
        """A commit status: error, failure, pending or success."""
        made = Check(self.fake.next_id(), self.sha(ref), context, state, None, self.fake.now())
        made.summary = description
        self.statuses.append(made)
        return made

    def workflow(
        self, file: str, *, name: str = "CI", inputs: Sequence[str] = (), dispatchable: bool = True
    ) -> Workflow:
        path = f".github/workflows/{file}"
        made = Workflow(self.fake.next_id(), path, name, "active", tuple(inputs), dispatchable)
        self.workflows.append(made)
        return made

    def run(
        self,
        workflow: str,
        *,
        branch: str = "main",
        sha: str | None = None,
        event: str = "push",
        actor: str = "octocat",
        jobs: Sequence[tuple[str, str | None]] = (("build", "success"),),
        logs: Mapping[str, str] | None = None,
        status: str = "completed",
        artifacts: Sequence[str] = (),
        script: Sequence[str] = (),
    ) -> Run:
        """A run; a job is its name and conclusion (`None`: at work still); logs are by name of job."""
        known = next(one for one in self.workflows if one.path.endswith(f"/{workflow}"))
        now = self.fake.now()
        made = Run(
            self.fake.next_id(),
            len(self.runs) + 1,
            known,
            branch,
            sha or self.heads[branch],
            event,
            self.fake.user(actor).login,
            now,
            now,
        )
        made.title = self.git.commits[made.sha].message.partition("\n")[0]
        made.jobs = [self.job(name, end, (logs or {}).get(name)) for name, end in jobs]
        made.status, made.script = status, list(script)
        bad = next(
            (one.conclusion for one in made.jobs if one.conclusion not in {"success", "skipped"}), None
        )
        made.conclusion = (bad or "success") if status == "completed" else None
        made.pulls = [one.number for one in self.issues.values() if one.pull and one.pull.head == branch]
        made.artifacts = [
            {"id": self.fake.next_id(), "name": one, "size_in_bytes": 1234} for one in artifacts
        ]
        self.runs.append(made)
        return made

    def job(self, name: str, conclusion: str | None, log: str | None = None) -> Job:
        started = self.fake.now()
        ended = self.fake.now() if conclusion else None
        made = Job(
            self.fake.next_id(),
            name,
            "completed" if conclusion else "in_progress",
            conclusion,
            log,
            started,
            ended,
        )
        for number, step in enumerate(("Set up job", f"Run {name}"), 1):
            end = "success" if number == 1 or conclusion == "success" else conclusion
            made.steps.append(
                {
                    "name": step,
                    "number": number,
                    "status": "completed" if end else "in_progress",
                    "conclusion": end,
                    "started_at": started,
                    "completed_at": ended,
                }
            )
        return made

    def release(
        self,
        tag: str,
        *,
        name: str | None = None,
        body: str | None = "",
        author: str = "octocat",
        target: str = "main",
        draft: bool = False,
        prerelease: bool = False,
    ) -> Release:
        now = self.fake.now()
        login = self.fake.user(author).login
        made = Release(self.fake.next_id(), tag, target, name or tag, body, login, now, draft, prerelease)
        if not draft:
            made.published_at = now
            self.tags.setdefault(tag, self.sha(target))
        self.releases.append(made)
        return made
