"""Ringmain's connector for vector search."""
