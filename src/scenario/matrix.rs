//! `matrix:`: one file, many cases. Each combination of the matrix' values is a scenario of its own, in which
//! `${{ matrix.NAME }}` stands for the value of NAME.

use super::diagnostic::{Code, Diagnostic};
use super::overrides::Overrides;
use super::read::{At, Reader, listed, nearest, shortened};
use super::source::Span;
use super::tree::{Entry, Node, Scalar, Value};

/// The section's name.
const SECTION: &str = "matrix";
const OPEN: &str = "${{";
const CLOSE: &str = "}}";

/// What the section says.
#[derive(Debug)]
pub struct Matrix {
    axes: Vec<Axis>,
    span: Span,
}

#[derive(Debug)]
struct Axis {
    name: At<String>,
    values: Vec<Scalar>,
}

/// A value for each axis, in their order.
pub type Choice = Vec<(String, String)>;

/// `a=symmetric,b=full-cone`.
pub fn label(choice: &Choice) -> String {
    let part = |(name, value): &(String, String)| format!("{name}={}", one_line(value));
    choice.iter().map(part).collect::<Vec<_>>().join(",")
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The matrix of a file; `None` if it has none, or if it could not be read.
fn read(reader: &mut Reader<'_>, root: &Node) -> Option<Matrix> {
    let Value::Map(entries) = &root.value else { return None };
    let entry = entries.iter().find(|entry| entry.key == SECTION)?;
    let Value::Map(axes) = &entry.value.value else {
        reader.wrong_kind(SECTION, &entry.value, "a map from names to lists of values");
        return None;
    };
    let before = reader.mistakes();
    let mut matrix = Matrix { axes: Vec::new(), span: entry.key_span };
    for axis in axes {
        let name = At::new(axis.key.clone(), axis.key_span);
        reader.check_name(&name);
        if matrix.axes.iter().any(|known| known.name.value == axis.key) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`matrix` has `{}` twice", shortened(&axis.key)))
                    .at(axis.key_span, "again here")
                    .help("put all values into one list"),
            );
        }
        let values = values(reader, &axis.key, &axis.value);
        matrix.axes.push(Axis { name, values });
    }
    matrix.check_size(reader);
    (reader.mistakes() == before).then_some(matrix)
}

fn values(reader: &mut Reader<'_>, name: &str, node: &Node) -> Vec<Scalar> {
    let Some(items) = reader.list(name, node, "words, numbers or texts") else { return Vec::new() };
    if items.is_empty() {
        reader.report(
            Diagnostic::new(Code::MissingKey, format!("`{}` of the matrix has no values", shortened(name)))
                .at(node.span, "an empty list")
                .help("write at least one value, or remove it"),
        );
    }
    let mut values: Vec<Scalar> = Vec::new();
    for item in items {
        match &item.value {
            Value::Scalar(scalar) if scalar.text.contains(OPEN) => reader.report(
                Diagnostic::new(
                    Code::BadValue,
                    format!("`{}` of the matrix has an expression as a value", shortened(name)),
                )
                .at(item.span, "would not be replaced")
                .help(format!("write the value itself; `{OPEN} … {CLOSE}` belongs outside of `{SECTION}`")),
            ),
            Value::Scalar(scalar) if values.iter().any(|known| known.text == scalar.text) => {
                let twice =
                    format!("`{}` of the matrix has `{}` twice", shortened(name), shortened(&scalar.text));
                reader.report(
                    Diagnostic::new(Code::DuplicateKey, twice)
                        .at(item.span, "again here")
                        .help("remove one of them"),
                );
            }
            Value::Scalar(scalar) => values.push(scalar.clone()),
            _ => reader.wrong_kind(name, item, "a word, a number or a text"),
        }
    }
    values
}

impl Axis {
    /// Its value among those that are chosen.
    fn chosen<'c>(&self, chosen: &'c Choice) -> Option<&'c str> {
        let choice = chosen.iter().find(|(name, _)| *name == self.name.value);
        choice.map(|(_, value)| value.as_str())
    }
}

impl Matrix {
    fn check_size(&self, reader: &mut Reader<'_>) {
        let most = reader.limits.cases;
        let count =
            self.axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.values.len().max(1)));
        if count.is_none_or(|count| count > most) {
            let count = count.map_or("far too many".into(), |count| count.to_string());
            reader.report(
                Diagnostic::new(
                    Code::Limit,
                    format!("the matrix has {count} cases; at most {most} are allowed"),
                )
                .at(self.span, "too many combinations")
                .help(
                    "write several files, or raise the limit with `--limit cases=N` if it is really needed",
                ),
            );
        }
    }

    /// Every combination that agrees with what is `chosen`; the first axis varies slowest.
    fn choices(&self, chosen: &Choice) -> Vec<Choice> {
        let mut choices: Vec<Choice> = vec![Choice::new()];
        for axis in &self.axes {
            let values: Vec<&str> = match axis.chosen(chosen) {
                Some(value) => vec![value],
                None => axis.values.iter().map(|value| value.text.as_str()).collect(),
            };
            let longer = |choice: &Choice, value: &str| {
                let last = (axis.name.value.clone(), value.to_owned());
                choice.iter().cloned().chain([last]).collect()
            };
            choices = choices
                .iter()
                .flat_map(|choice| values.iter().map(move |value| longer(choice, value)))
                .collect();
        }
        choices
    }

    /// The choice that `chosen` makes, and for axes it does not name the only value there is.
    fn choice(&self, chosen: &Choice) -> Result<Choice, Diagnostic> {
        let mut choice = Choice::new();
        let mut open = Vec::new();
        for axis in &self.axes {
            match (axis.chosen(chosen), axis.values.as_slice()) {
                (Some(value), _) => choice.push((axis.name.value.clone(), value.to_owned())),
                (None, [only]) => choice.push((axis.name.value.clone(), only.text.clone())),
                (None, _) => open.push(axis),
            }
        }
        if open.is_empty() { Ok(choice) } else { Err(self.undecided(&open, chosen)) }
    }

    fn undecided(&self, open: &[&Axis], chosen: &Choice) -> Diagnostic {
        let count = self.choices(chosen).len();
        let mut diagnostic = Diagnostic::new(
            Code::ManyCases,
            format!("this file holds {count} cases, and one has to be chosen"),
        );
        let mut example = Choice::new();
        for axis in open {
            let known = listed(axis.values.iter().map(|value| value.text.as_str()));
            diagnostic = diagnostic.at(axis.name.span, known);
            let value = axis.values.first().map_or("", |value| value.text.as_str());
            example.push((axis.name.value.clone(), value.to_owned()));
        }
        let example = Overrides { matrix: example, ..Overrides::default() }.options();
        diagnostic
            .help(format!("choose, for example with `{}`", example.trim_start()))
            .help("`punchlab run` and `punchlab test` go through all of them")
    }

    /// The value's spelling in the file, quotes included in what is known of it.
    fn scalar(&self, name: &str, text: &str) -> Scalar {
        let axis = self.axes.iter().find(|axis| axis.name.value == name);
        let known = axis.and_then(|axis| axis.values.iter().find(|value| value.text == text));
        known.cloned().unwrap_or(Scalar { text: text.to_owned(), quoted: false })
    }
}

/// The names of the matrix that stand in expressions of the tree.
pub fn mentioned(root: &Node) -> Vec<String> {
    let mut names = Vec::new();
    if let Value::Map(entries) = &root.value {
        for entry in entries.iter().filter(|entry| entry.key != SECTION) {
            mentioned_below(&entry.value, &mut names);
        }
    }
    names
}

fn mentioned_below(node: &Node, names: &mut Vec<String>) {
    match &node.value {
        Value::Null => {}
        Value::List(items) => items.iter().for_each(|item| mentioned_below(item, names)),
        Value::Map(entries) => entries.iter().for_each(|entry| mentioned_below(&entry.value, names)),
        Value::Scalar(scalar) => {
            let expressions = scalar.text.split(OPEN).skip(1).filter_map(|rest| rest.split_once(CLOSE));
            let found = expressions.filter_map(|(expression, _)| expression.trim().strip_prefix("matrix."));
            names.extend(found.map(str::to_owned));
        }
    }
}

/// The choices of the cases of a file, of those that agree with what is `chosen`. A mistake in an expression is one of every
/// case: it is reported here, once. `in_file` are the names that the file mentions, whatever was changed about it.
pub fn cases(reader: &mut Reader<'_>, mut root: Node, chosen: &Choice, in_file: &[String]) -> Vec<Choice> {
    let before = reader.mistakes();
    let matrix = read(reader, &root);
    if reader.mistakes() > before {
        return Vec::new();
    }
    refuse_unknown(reader, matrix.as_ref(), chosen);
    let choices = matrix.map_or_else(|| vec![Choice::new()], |matrix| matrix.choices(chosen));
    if let Some(first) = choices.first() {
        fill(reader, &mut root, first, in_file);
    }
    choices
}

/// A choice that chooses nothing would be accepted and ignored.
fn refuse_unknown(reader: &mut Reader<'_>, matrix: Option<&Matrix>, chosen: &Choice) {
    let axes = matrix.map_or(&[][..], |matrix| &matrix.axes);
    let known = || axes.iter().map(|axis| axis.name.value.as_str());
    for (name, _) in chosen.iter().filter(|(name, _)| known().all(|known| known != name)) {
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if axes.is_empty() => format!("the file has no `{SECTION}`: choose nothing"),
            None => format!("the matrix has {}", listed(known())),
        };
        let message = format!("a value is chosen for `{}`, which the matrix does not have", shortened(name));
        reader.report(Diagnostic::new(Code::BadOverride, message).help(help));
    }
}

/// Puts the chosen values where the file names them, and gives the label of the case; empty for a file without a matrix.
/// `in_file` are the names that the file mentions, whatever was changed about it.
pub fn fill(reader: &mut Reader<'_>, root: &mut Node, chosen: &Choice, in_file: &[String]) -> String {
    let before = reader.mistakes();
    let matrix = read(reader, root);
    if reader.mistakes() > before {
        return String::new();
    }
    refuse_unknown(reader, matrix.as_ref(), chosen);
    let choice = match matrix.as_ref().map(|matrix| matrix.choice(chosen)) {
        None => Choice::new(),
        Some(Ok(choice)) => choice,
        Some(Err(diagnostic)) => {
            reader.report(diagnostic);
            return String::new();
        }
    };
    let used = choice.iter().map(|(name, _)| in_file.contains(name)).collect();
    let mut filler = Filler { reader, matrix: matrix.as_ref(), choice: &choice, used };
    if let Value::Map(entries) = &mut root.value {
        entries.iter_mut().filter(|entry| entry.key != SECTION).for_each(|entry| filler.entry(entry));
    }
    filler.complain_about_unused(before);
    label(&choice)
}

struct Filler<'r, 'l, 'm> {
    reader: &'r mut Reader<'l>,
    matrix: Option<&'m Matrix>,
    choice: &'m Choice,
    used: Vec<bool>,
}

impl Filler<'_, '_, '_> {
    fn entry(&mut self, entry: &mut Entry) {
        if entry.key.contains(OPEN) {
            self.reader.report(
                Diagnostic::new(Code::BadName, "an expression cannot be a key")
                    .at(entry.key_span, "values alone are replaced")
                    .help("write a key that all cases share, and the expression in its value"),
            );
        }
        self.node(&mut entry.value);
    }

    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Null => {}
            Value::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| self.entry(entry)),
            Value::Scalar(scalar) if scalar.text.contains(OPEN) => {
                if let Some(filled) = self.filled(scalar, node.span) {
                    node.value = Value::Scalar(filled);
                }
            }
            Value::Scalar(_) => {}
        }
    }

    /// The scalar with its expressions replaced. One that is nothing but an expression becomes the value itself, so that
    /// `30s` stays a duration and `"30s"` a text.
    fn filled(&mut self, scalar: &Scalar, span: Span) -> Option<Scalar> {
        let mut text = String::new();
        let mut rest = scalar.text.as_str();
        while let Some((before, after)) = rest.split_once(OPEN) {
            let Some((expression, behind)) = after.split_once(CLOSE) else {
                self.reader.report(
                    Diagnostic::new(Code::BadValue, format!("`{OPEN}` is not closed"))
                        .at(span, format!("no `{CLOSE}` follows"))
                        .help("write \"${{ matrix.NAME }}\""),
                );
                return None;
            };
            let (name, value) = self.value(expression.trim(), span)?;
            if before.is_empty() && behind.is_empty() && text.is_empty() {
                return self.matrix.map(|matrix| matrix.scalar(&name, &value));
            }
            text.push_str(before);
            text.push_str(&value);
            rest = behind;
        }
        text.push_str(rest);
        Some(Scalar { text, quoted: scalar.quoted })
    }

    fn value(&mut self, expression: &str, span: Span) -> Option<(String, String)> {
        let Some(name) = expression.strip_prefix("matrix.") else {
            self.reader.report(
                Diagnostic::new(
                    Code::BadValue,
                    format!("`{}` is not a value of the matrix", shortened(expression)),
                )
                .at(span, "not understood")
                .help("write \"${{ matrix.NAME }}\"; there are no other expressions"),
            );
            return None;
        };
        if let Some(index) = self.choice.iter().position(|(known, _)| known == name) {
            self.used[index] = true;
            return Some(self.choice[index].clone());
        }
        let known = || self.choice.iter().map(|(known, _)| known.as_str());
        let help = match (nearest(name, known()), self.matrix) {
            (Some(near), _) => format!("did you mean `matrix.{near}`?"),
            (None, Some(_)) => format!("the matrix has {}", listed(known())),
            (None, None) => format!("add `matrix: {{ {}: [ … ] }}` to the file", shortened(name)),
        };
        self.reader.report(
            Diagnostic::new(Code::UnknownKey, format!("the matrix has no `{}`", shortened(name)))
                .at(span, "no such value")
                .help(help),
        );
        None
    }

    /// Only where nothing else is wrong: a misspelt name leaves another one unused.
    fn complain_about_unused(&mut self, mistakes_before: usize) {
        let Some(matrix) = self.matrix.filter(|_| self.reader.mistakes() == mistakes_before) else { return };
        for (axis, _) in matrix.axes.iter().zip(&self.used).filter(|(_, used)| !**used) {
            let name = &axis.name.value;
            let others =
                matrix.axes.iter().map(|axis| axis.name.value.as_str()).filter(|other| other != name);
            let help = match nearest(name, others) {
                // `--set` adds what is not there.
                Some(near) if axis.name.span.source > 0 => format!("did you mean `matrix.{near}`?"),
                _ => format!("write \"${{{{ matrix.{name} }}}}\" where its value belongs, or remove it"),
            };
            self.reader.report(
                Diagnostic::new(
                    Code::MeaninglessKey,
                    format!("`matrix.{name}` is used nowhere, so its cases are all alike"),
                )
                .at(axis.name.span, "no effect")
                .help(help),
            );
        }
    }
}
