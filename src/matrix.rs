//! One call between every pair of NAT types.
//!
//! Each cell is a real run of a real scenario: the row's NAT on the caller's side, the column's on the callee's,
//! STUN and TURN servers that both may use.

use serde::Serialize;

use crate::base::Limits;
use crate::engine::{self, RunOptions};
use crate::outcome::classify::Sides;
use crate::plan::{
    FilterScope, FilteringBehavior, MappingBehavior, Nickname, NicknameMeaning, Path, PortAssignment,
    ReplyMapping, StackKind,
};
use crate::scenario::{self, Overrides, Source};

/// What stands in front of a peer in a matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name in the head of the table.
    pub name: String,
    /// The scenario section its node belongs to.
    section: &'static str,
    /// What that section says of the node.
    body: String,
    /// True if it translates, so that it has the switches that RFC 4787 leaves open.
    translates: bool,
}

/// How to fill a matrix.
#[derive(Debug, Clone)]
pub struct MatrixOptions {
    /// The seed of every run.
    pub seed: u64,
    /// The caller's stack.
    pub caller: StackKind,
    /// The callee's stack.
    pub callee: StackKind,
    /// True: there is a TURN server.
    pub turn: bool,
    /// Whose destinations open the NATs' filters.
    pub filter_scope: FilterScope,
    /// Which mapping carries the NATs' replies.
    pub reply_mapping: ReplyMapping,
}

/// A filled matrix: `paths[row][column]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The heads of rows and columns.
    pub sites: Vec<String>,
    /// The path of each call.
    pub paths: Vec<Vec<Path>>,
}

impl Matrix {
    /// A matrix of these sites; `paths` has a row and a column for each of them.
    pub fn new(sites: &[Site], paths: Vec<Vec<Path>>) -> Self {
        Self { sites: sites.iter().map(|site| site.name.clone()).collect(), paths }
    }
}

impl Default for MatrixOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            caller: StackKind::Is,
            callee: StackKind::Is,
            turn: true,
            filter_scope: FilterScope::Mapping,
            reply_mapping: ReplyMapping::Admitting,
        }
    }
}

/// The seven legacy types: RFC 3489's, no NAT at all, and a network that lets no UDP out.
pub fn legacy_sites() -> Vec<Site> {
    let nicknames = Nickname::ALL.iter().map(|nickname| Site {
        name: nickname.word().into(),
        section: "nats",
        body: format!("type: {nickname}"),
        translates: matches!(nickname.meaning(), NicknameMeaning::Nat(_)),
    });
    let blocked = Site {
        name: "udp-blocked".into(),
        section: "firewalls",
        body: "outbound: { default: deny, allow: [80/tcp, 443/tcp] }".into(),
        translates: false,
    };
    nicknames.chain([blocked]).collect()
}

/// The nine combinations of RFC 4787 mapping and filtering. NATs that give a new port per destination give random ones.
pub fn rfc4787_sites() -> Vec<Site> {
    let site = |mapping: MappingBehavior, filtering: FilteringBehavior| {
        let ports = match mapping {
            MappingBehavior::EndpointIndependent => PortAssignment::Preservation,
            _ => PortAssignment::Random,
        };
        Site {
            name: format!("{}-{}", mapping.abbreviation(), filtering.abbreviation()),
            section: "nats",
            body: format!("mapping: {mapping}, filtering: {filtering}, port-assignment: {ports}"),
            translates: true,
        }
    };
    let filterings = |mapping| FilteringBehavior::ALL.iter().map(move |filtering| site(mapping, *filtering));
    MappingBehavior::ALL.iter().flat_map(|mapping| filterings(*mapping)).collect()
}

/// The scenario of one cell, as a file would say it.
pub fn scenario_of(caller: &Site, callee: &Site, options: &MatrixOptions) -> String {
    let mut text = format!("name: {} x {}\nseed: {}\n", caller.name, callee.name, options.seed);
    for section in ["nats", "firewalls"] {
        let nodes =
            [("site-a", caller), ("site-b", callee)].into_iter().filter(|(_, site)| site.section == section);
        let lines: String =
            nodes.map(|(node, site)| format!("  {node}: {{ {} }}\n", body_of(site, options))).collect();
        if !lines.is_empty() {
            text += &format!("{section}:\n{lines}");
        }
    }
    text += "servers:\n  stun: { stun: [3478/udp] }\n";
    if options.turn {
        text += "  turn: { turn: [3478/udp] }\n";
    }
    let MatrixOptions { caller, callee, .. } = options;
    text += &format!(
        "peers:\n  alice: {{ behind: site-a, agent: {caller} }}\n  bob: {{ behind: site-b, agent: {callee} }}\n"
    );
    text + "calls:\n  - alice -> bob\n"
}

fn body_of(site: &Site, options: &MatrixOptions) -> String {
    let MatrixOptions { filter_scope, reply_mapping, .. } = options;
    let switches = format!(", filter-scope: {filter_scope}, reply-mapping: {reply_mapping}");
    format!("{}{}", site.body, if site.translates { switches.as_str() } else { "" })
}

/// Runs every cell. Rows are callers, columns callees.
pub fn fill(sites: &[Site], options: &MatrixOptions) -> Result<Matrix, MatrixError> {
    let paths = sites.iter().map(|caller| row(caller, sites, options)).collect::<Result<_, _>>()?;
    Ok(Matrix::new(sites, paths))
}

/// The paths of one caller's calls to each of `callees`. Rows are independent of each other.
pub fn row(caller: &Site, callees: &[Site], options: &MatrixOptions) -> Result<Vec<Path>, MatrixError> {
    callees.iter().map(|callee| cell(caller, callee, options)).collect()
}

/// The path of one cell's call.
pub fn cell(caller: &Site, callee: &Site, options: &MatrixOptions) -> Result<Path, MatrixError> {
    let limits = Limits::DEFAULT;
    let source = Source { name: "matrix".into(), text: scenario_of(caller, callee, options) };
    let plan = scenario::load(&source, &Overrides::default(), &limits)?;
    let run = engine::run(&plan, &RunOptions { limits, ..RunOptions::default() })?;
    Ok(Sides::of(&run, 0).map_or(Path::Failed, Sides::path))
}

/// A cell that could not be run.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// Its scenario was refused.
    #[error(transparent)]
    Rejected(#[from] scenario::Rejection),
    /// Its run did not finish.
    #[error(transparent)]
    Run(#[from] engine::RunError),
}
