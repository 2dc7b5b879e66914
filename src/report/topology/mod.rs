//! Pictures of a plan's topology: SVG to look at, DOT and Mermaid to go on with.

pub mod dot;
mod labels;
pub(crate) mod layout;
pub mod mermaid;
pub mod svg;

pub use labels::{call_line, label_lines, link_lines, type_line, type_lines};
pub use layout::{Layout, Placed, layout};
