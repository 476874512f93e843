"""What Redis runs in one step: limits by its own clock, compare-and-set."""

from collections.abc import Sequence
from typing import Any

from ringmain_core.state import Exceeded, Quota
from ringmain_core.state.meters import BUSY_RETRY_SECONDS, TOLERANCE

# The same as `LocalMeters.admit`, in microseconds. KEYS: for each quota when the next call is due, and the
# running calls with the ends of their leases. ARGV: lease, its length, for each quota interval, burst and
# concurrency (-1: not counted). Answers nil, or the number of the quota, what is used up, and the wait.
ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lease, length = ARGV[1], tonumber(ARGV[2])
local dues = {}
local function keep(key, due)
  redis.call('SET', key, string.format('%.3f', due), 'PX', math.ceil((due - now) / 1000) + 1)
end
for i = 1, #KEYS / 2 do
  local due_key, running_key = KEYS[2 * i - 1], KEYS[2 * i]
  local interval, burst, most = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local due, last = tonumber(redis.call('GET', due_key) or now), now + burst * interval
  if due > last then
    due = last
    keep(due_key, due)
  end
  local too_early = due - now - (burst - 1) * interval
  if too_early > 1 then
    return {i, 'rate', string.format('%.3f', too_early)}
  end
  if most >= 0 then
    redis.call('ZREMRANGEBYSCORE', running_key, '-inf', now)
    if redis.call('ZCARD', running_key) >= most then
      return {i, 'concurrency', '0'}
    end
  end
  dues[i] = math.max(due, now) + interval
end
for i = 1, #KEYS / 2 do
  local due_key, running_key = KEYS[2 * i - 1], KEYS[2 * i]
  keep(due_key, dues[i])
  if tonumber(ARGV[3 * i + 2]) >= 0 then
    redis.call('ZADD', running_key, now + length, lease)
    local until_over = math.ceil(length / 1000) + 1
    if redis.call('PTTL', running_key) < until_over then
      redis.call('PEXPIRE', running_key, until_over)
    end
  end
end
return nil
"""

# KEYS: the running calls of each quota. ARGV: lease.
RELEASE = """
for _, running_key in ipairs(KEYS) do
  redis.call('ZREM', running_key, ARGV[1])
end
"""

# KEYS: the value's. ARGV: old, new, milliseconds.
REPLACE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


def admit_call(
    prefix: str, quotas: Sequence[Quota], lease: str, lease_seconds: float
) -> tuple[list[str], list[str | int | float]]:
    """KEYS and ARGV of `ADMIT`."""
    keys: list[str] = []
    args: list[str | int | float] = [lease, int(lease_seconds * 1e6)]
    for quota in quotas:
        keys += [f"{prefix}due:{quota.key}", f"{prefix}running:{quota.key}"]
        args += [1e6 / quota.rate, quota.burst, -1 if quota.concurrency is None else quota.concurrency]
    return keys, args


def release_keys(prefix: str, quotas: Sequence[Quota]) -> list[str]:
    """KEYS of `RELEASE`."""
    return [f"{prefix}running:{quota.key}" for quota in quotas if quota.concurrency is not None]


def read_admit(answer: Any, quotas: Sequence[Quota]) -> Exceeded | None:
    """The answer of `ADMIT`."""
    if answer is None:
        return None
    number, by, wait = answer
    quota = quotas[int(number) - 1]
    if by == b"rate":
        return Exceeded(quota, "rate", float(wait) / 1e6 - TOLERANCE / 2)
    return Exceeded(quota, "concurrency", BUSY_RETRY_SECONDS)
