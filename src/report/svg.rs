//! A tiny writer of SVG pictures that stand alone: no scripts, no fonts, nothing from elsewhere, readable on light
//! and dark pages, and in colours that colour-blind people tell apart (Okabe and Ito's).

use std::fmt::Write as _;

use super::text::printable;

/// How wide `characters` of a name are, at most: names are bold monospace of 13 pixels.
pub fn name_width(characters: usize) -> i32 {
    i32::try_from(characters).unwrap_or(i32::MAX / 8) * 8
}

/// How wide `characters` of small print are, at most: it is monospace of 11 pixels.
pub fn small_width(characters: usize) -> i32 {
    i32::try_from(characters).unwrap_or(i32::MAX / 7) * 67 / 10 + 1
}

/// Rules of every picture: what they are for, how they look on light pages, and what differs on dark ones.
const RULES: &[(&str, &str, &str)] = &[
    (
        "text",
        "fill:#1f2328;font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace",
        "fill:#e6edf3",
    ),
    (".title", "font:600 16px system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif", ""),
    (
        ".sub",
        "font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif;fill:#59636e",
        "fill:#9198a1",
    ),
    (".name", "font-weight:700;font-size:13px", ""),
    (".dim", "fill:#59636e", "fill:#9198a1"),
    (".bad", "fill:#b24a00", "fill:#ff9d57"),
    (".halo", "paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round", "stroke:#0d1117"),
    (".page", "fill:#fff", "fill:#0d1117"),
    (".wire", "fill:none;stroke:#8c959f;stroke-width:1.5", "stroke:#6e7681"),
    (".down", "stroke-dasharray:3 4", ""),
    (".router", "fill:#f3f4f6;stroke:#818b98;stroke-width:1.5", "fill:#1c2128;stroke:#818b98"),
    (".nat", "fill:#fdf1e8;stroke:#d55e00;stroke-width:1.5", "fill:#2f1d10;stroke:#ee8b45"),
    (".firewall", "fill:#faedf4;stroke:#b0568a;stroke-width:1.5", "fill:#2e1a26;stroke:#d98bb8"),
    (".server", "fill:#e7f5f0;stroke:#009e73;stroke-width:1.5", "fill:#0d2a22;stroke:#3fc39b"),
    (".peer", "fill:#e8f2fa;stroke:#0072b2;stroke-width:1.5", "fill:#0f2538;stroke:#56b4e9"),
    (".lifeline", "stroke:#d1d9e0", "stroke:#30363d"),
    (".band", "fill:#f3f4f6", "fill:#1c2128"),
    (".arrow", "fill:none;stroke:#0072b2;stroke-width:1.6", "stroke:#56b4e9"),
    (".head", "fill:#0072b2", "fill:#56b4e9"),
    (".dead", "fill:none;stroke:#d55e00;stroke-width:1.6;stroke-dasharray:6 4", "stroke:#ee8b45"),
    (".cross", "fill:none;stroke:#d55e00;stroke-width:2.4;stroke-linecap:round", "stroke:#ee8b45"),
    (
        ".signal",
        "fill:none;stroke:#818b98;stroke-width:1.5;stroke-dasharray:1 4;stroke-linecap:round",
        "stroke:#818b98",
    ),
    (".signal-head", "fill:#818b98", "fill:#818b98"),
    (".ring", "fill:#fff;stroke:#0072b2;stroke-width:1.6", "fill:#0d1117;stroke:#56b4e9"),
    (".dead-ring", "fill:#fff;stroke:#d55e00;stroke-width:1.6", "fill:#0d1117;stroke:#ee8b45"),
    (".strong", "font-weight:600", ""),
    (".milestone", "fill:#1f2328", "fill:#e6edf3"),
];

/// A picture under construction. What is drawn later covers what was drawn earlier.
#[derive(Debug)]
pub struct Picture {
    out: String,
}

/// Which point of a text is where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Anchor {
    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Picture {
    /// An empty page. `title` and `description` are for those who cannot see it.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let (width, height) = (number(width), number(height));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title desc\">\n"
        );
        // Writing to a string does not fail.
        let _ = writeln!(out, "<title id=\"title\">{}</title>", escape(title));
        let _ = writeln!(out, "<desc id=\"desc\">{}</desc>", escape(description));
        out.push_str(&style());
        let _ = writeln!(out, "<rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>");
        Self { out }
    }

    /// A rectangle around a centre.
    pub fn rectangle(&mut self, class: &str, [x, y]: [f64; 2], [w, h]: [f64; 2], radius: f64) {
        let (x, y) = (x - w / 2.0, y - h / 2.0);
        self.element("rect", class, &[("x", x), ("y", y), ("width", w), ("height", h), ("rx", radius)]);
    }

    /// An ellipse around a centre.
    pub fn ellipse(&mut self, class: &str, [x, y]: [f64; 2], [rx, ry]: [f64; 2]) {
        self.element("ellipse", class, &[("cx", x), ("cy", y), ("rx", rx), ("ry", ry)]);
    }

    /// A line through points.
    pub fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let _ =
            writeln!(self.out, "<polyline class=\"{}\" points=\"{}\"/>", escape(class), coordinates(points));
    }

    /// An area between points.
    pub fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        let _ =
            writeln!(self.out, "<polygon class=\"{}\" points=\"{}\"/>", escape(class), coordinates(points));
    }

    /// A path; `data` is what SVG calls so, and never comes from a scenario.
    pub fn path(&mut self, class: &str, data: &str) {
        let _ = writeln!(self.out, "<path class=\"{}\" d=\"{}\"/>", escape(class), escape(data));
    }

    /// A line of text whose baseline is at `y`.
    pub fn text(&mut self, class: &str, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let (x, y) = (number(x), number(y));
        let _ = writeln!(
            self.out,
            "<text class=\"{}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{}\">{}</text>",
            escape(class),
            anchor.word(),
            escape(text)
        );
    }

    /// The finished picture.
    pub fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    fn element(&mut self, name: &str, class: &str, attributes: &[(&str, f64)]) {
        let _ = write!(self.out, "<{name} class=\"{}\"", escape(class));
        for (key, value) in attributes {
            let _ = write!(self.out, " {key}=\"{}\"", number(*value));
        }
        self.out.push_str("/>\n");
    }
}

/// Text as XML holds it, without characters that are invisible, or that no XML document may hold.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// A coordinate with one decimal, if it needs one.
pub fn number(value: f64) -> String {
    let digits = format!("{value:.1}");
    digits.strip_suffix(".0").unwrap_or(&digits).to_owned()
}

fn coordinates(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
    points.join(" ")
}

fn style() -> String {
    let mut style = String::from("<style>\n");
    for (selector, light, _) in RULES {
        let _ = writeln!(style, "{selector}{{{light}}}");
    }
    style.push_str("@media (prefers-color-scheme: dark){\n");
    for (selector, _, dark) in RULES.iter().filter(|(_, _, dark)| !dark.is_empty()) {
        let _ = writeln!(style, "{selector}{{{dark}}}");
    }
    style.push_str("}\n</style>\n");
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_an_element_or_an_attribute() {
        assert_eq!(
            escape("</text><script>\"&\u{1b}\u{202e}\u{ffff}"),
            "&lt;/text&gt;&lt;script&gt;&quot;&amp;"
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(coordinates(&[(1.0, 2.5), (0.25, -3.0)]), "1,2.5 0.2,-3");
    }
}
