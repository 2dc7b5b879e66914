//! Pure writers: a run and its outcome become text, JSON, or a capture.
