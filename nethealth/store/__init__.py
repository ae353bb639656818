"""History: every run appended, whole checks or nothing."""
