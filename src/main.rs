//! The `punchlab` program.

fn main() {}
