//! A scenario file becomes a [`Plan`](crate::plan::Plan), or diagnostics that teach.
