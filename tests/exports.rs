//! Pictures of every scenario, and of hostile and large ones: well-formed, complete, the same every time.

mod common;

use common::{plan_of_file, plan_of_text, scenario_files};
use punchlab::engine::RunOptions;
use punchlab::outcome::simulate;
use punchlab::plan::Plan;
use punchlab::report::journey::journeys;
use punchlab::report::ladder::{self, Ladder};
use punchlab::report::topology::{self, Layout, Placed, layout};
use punchlab::report::{Report, human};

/// A name that means something in XML, Mermaid, DOT and terminals.
const HOSTILE: &str = r#"</title><script>alert(1)</script>"]; end; %%{init: {}}%% #quot; \" -->"#;

#[test]
fn every_picture_is_well_formed_and_shows_every_node() {
    for file in scenario_files() {
        let plan = plan_of_file(&file, 1);
        let graph = topology::svg::write(&plan);
        let texts = texts_of_picture(&graph);
        for (_, node) in plan.topology.nodes() {
            assert!(texts.contains(&node.name), "{}: {} is missing", file.display(), node.name);
        }
        for picture in ladders(&plan, ladder::svg::write) {
            texts_of_picture(&picture);
        }
    }
}

#[test]
fn no_two_boxes_overlap_and_all_are_inside_the_picture() {
    let scenarios = scenario_files().into_iter().map(|file| plan_of_file(&file, 1));
    let large = [thirty_nodes(), sixty_four_peers(), thirty_homes()].map(|text| plan_of_text(&text, 1));
    for plan in scenarios.chain(large) {
        let layout = layout(&plan);
        assert_eq!(layout.boxes.len(), plan.topology.node_count(), "{}", plan.name);
        for (index, one) in layout.boxes.iter().enumerate() {
            assert!(is_inside(&layout, one), "{}: {one:?}", plan.name);
            for other in &layout.boxes[..index] {
                assert!(!overlap(one, other), "{}: {one:?} and {other:?}", plan.name);
            }
        }
        assert!(layout.width < 1_500.0, "{} is {} wide", plan.name, layout.width);
    }
}

#[test]
fn no_wire_crosses_a_box() {
    let scenarios = scenario_files().into_iter().map(|file| plan_of_file(&file, 1));
    let large = [thirty_nodes(), sixty_four_peers(), thirty_homes()].map(|text| plan_of_text(&text, 1));
    for plan in scenarios.chain(large) {
        let layout = layout(&plan);
        for pair in layout.wires.iter().flat_map(|wire| wire.windows(2)) {
            let ([x1, x2], [y1, y2]) = ([pair[0].0, pair[1].0], [pair[0].1, pair[1].1]);
            assert!(x1 == x2 || y1 == y2, "{}: {pair:?} is oblique", plan.name);
            for place in &layout.boxes {
                let (dx, dy) = (place.w / 2.0, place.h / 2.0);
                let beside = x1.max(x2) <= place.x - dx || x1.min(x2) >= place.x + dx;
                let above_or_below = y1.max(y2) <= place.y - dy || y1.min(y2) >= place.y + dy;
                assert!(beside || above_or_below, "{}: {pair:?} crosses {place:?}", plan.name);
            }
        }
    }
}

#[test]
fn a_hostile_name_stays_text() {
    let name = HOSTILE.replace('\\', "\\\\").replace('"', "\\\"");
    let plan = plan_of_text(
        &format!("name: \"{name}\"\npeers: {{ alice: {{}}, bob: {{}} }}\ncalls: [alice -> bob]\n"),
        1,
    );
    assert_eq!(plan.name, HOSTILE);
    let drawn = [vec![topology::svg::write(&plan)], ladders(&plan, ladder::svg::write)].concat();
    assert_eq!(drawn.len(), 2);
    for picture in drawn {
        let title = parsed(&picture)
            .descendants()
            .find(|node| node.has_tag_name("title"))
            .map(|node| node.text().unwrap_or_default().to_owned());
        assert!(title.is_some_and(|title| title.contains(HOSTILE)), "{picture}");
    }
    for text in [vec![topology::mermaid::write(&plan)], ladders(&plan, ladder::mermaid::write)].concat() {
        let outside_codes = text.lines().filter(|line| line.contains("accTitle"));
        for line in outside_codes {
            let plain = line.replace(|c: char| c.is_ascii_digit(), "").replace("#;", "");
            assert!(!plain.contains(['<', '>', '"', ';', '#', '%', '{']), "{line}");
        }
    }
    let dot = topology::dot::write(&plan);
    assert!(dot.contains(r#"</script>\"]; end;"#) && dot.contains(r#"\\\" -->""#), "{dot}");
}

#[test]
fn the_same_plan_gives_the_same_pictures() {
    let draw = || {
        let plan = plan_of_file("scenarios/cgn-hairpin.nat.yaml".as_ref(), 1);
        let graphs =
            vec![topology::svg::write(&plan), topology::dot::write(&plan), topology::mermaid::write(&plan)];
        [graphs, ladders(&plan, ladder::svg::write), ladders(&plan, ladder::mermaid::write)].concat()
    };
    assert_eq!(draw(), draw());
}

#[test]
fn a_ladder_alone_is_the_one_of_the_report() {
    let plan = plan_of_file("scenarios/symmetric-x-symmetric.nat.yaml".as_ref(), 1);
    let (run, outcome) =
        simulate(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run");
    let report = Report { plan: &plan, run: &run, outcome: &outcome };
    let journeys = journeys(report);
    let ladder = Ladder::new(report, &journeys, 0).expect("a ladder");
    let options = human::Options::default();
    assert_eq!(
        human::write_ladder(&ladder, options),
        human::write_parts(report, &[human::Part::Ladder], options)
    );
}

/// Every call of a plan, drawn by `write`.
fn ladders(plan: &Plan, write: impl Fn(&Ladder<'_>, bool) -> String) -> Vec<String> {
    let (run, outcome) =
        simulate(plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run");
    let report = Report { plan, run: &run, outcome: &outcome };
    let journeys = journeys(report);
    (0..plan.calls.len())
        .filter_map(|call| Ladder::new(report, &journeys, call))
        .map(|ladder| write(&ladder, true))
        .collect()
}

fn parsed(picture: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(picture).unwrap_or_else(|error| panic!("{error}\n{picture}"))
}

/// All texts of a picture, none of which may begin outside of it.
fn texts_of_picture(picture: &str) -> Vec<String> {
    let document = parsed(picture);
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
    let number =
        |node: &roxmltree::Node<'_, '_>, key| node.attribute(key).and_then(|text| text.parse::<f64>().ok());
    let size = [number(&root, "width").expect("a width"), number(&root, "height").expect("a height")];
    let mut texts = Vec::new();
    for node in root.descendants().filter(|node| node.has_tag_name("text")) {
        let at = [number(&node, "x").expect("x"), number(&node, "y").expect("y")];
        assert!(
            at[0] > 0.0 && at[0] < size[0] && at[1] > 0.0 && at[1] < size[1],
            "{at:?} is outside of {size:?}"
        );
        texts.push(node.text().unwrap_or_default().to_owned());
    }
    texts
}

fn is_inside(layout: &Layout, place: &Placed) -> bool {
    let (dx, dy) = (place.w / 2.0, place.h / 2.0);
    place.w > 0.0
        && place.h > 0.0
        && place.x - dx >= 0.0
        && place.y - dy >= 0.0
        && place.x + dx <= layout.width
        && place.y + dy <= layout.height
}

fn overlap(one: &Placed, other: &Placed) -> bool {
    (one.x - other.x).abs() < (one.w + other.w) / 2.0 && (one.y - other.y).abs() < (one.h + other.h) / 2.0
}

/// Carriers over homes, an office with many desks, a firewall, and peers on the internet.
fn thirty_nodes() -> String {
    let mut nats = String::from("  office: { profile: linux-masquerade }\n");
    let mut peers = String::from("  guard: { behind: gate }\n  free: {}\n");
    for carrier in 0..2 {
        nats += &format!(
            "  cgn-{carrier}: {{ inside: 100.{}.0.0/16, type: port-restricted-cone }}\n",
            64 + carrier
        );
        for home in 0..4 {
            nats += &format!("  home-{carrier}-{home}: {{ behind: cgn-{carrier}, type: symmetric }}\n");
            peers += &format!("  peer-{carrier}-{home}: {{ behind: home-{carrier}-{home} }}\n");
        }
    }
    for desk in 0..9 {
        peers += &format!("  desk-{desk}: {{ behind: office, link: {{ delay: 2ms, loss: 1% }} }}\n");
    }
    let gate = "  gate: { outbound: { default: deny, allow: [80/tcp, 443/tcp, 53/udp, 22/tcp] } }\n";
    let servers = "servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }\n";
    format!(
        "name: thirty nodes\nnats:\n{nats}firewalls:\n{gate}{servers}peers:\n{peers}calls: [guard -> free]\n"
    )
}

fn sixty_four_peers() -> String {
    let peers: String = (0..64).map(|number| format!("  p{number}: {{}}\n")).collect();
    format!("name: sixty-four peers\npeers:\n{peers}calls: [p0 -> p1]\n")
}

fn thirty_homes() -> String {
    let nats: String = (0..30).map(|number| format!("  home-{number}: symmetric\n")).collect();
    let peers: String = (0..30).map(|number| format!("  p{number}: {{ behind: home-{number} }}\n")).collect();
    format!("name: thirty homes\nnats:\n{nats}peers:\n{peers}calls: [p0 -> p1]\n")
}
