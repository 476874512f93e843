"""Accounts that callers connect at providers (Slack, Google, GitHub …), each used for its owner only."""
