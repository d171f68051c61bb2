"""The compiled engine's inside: functions over plain numbers that numba compiles."""
