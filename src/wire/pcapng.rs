//! Capture files in pcapng format.
