//! The real Wireshark reads a capture, if it is here.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// False where it is not installed, which is a failure in CI.
pub fn tshark_is_here() -> bool {
    let here =
        Command::new("tshark").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(here || std::env::var_os("CI").is_none(), "tshark is not installed");
    if !here {
        writeln!(std::io::stderr(), "skipped: tshark is not installed").expect("standard error");
    }
    here
}

/// What it prints about a capture.
pub fn tshark(capture: Vec<u8>, arguments: &[&str]) -> String {
    let mut child = Command::new("tshark")
        .args(["-r", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tshark starts");
    let mut stdin = child.stdin.take().expect("its input");
    let feeder = std::thread::spawn(move || stdin.write_all(&capture));
    let output = child.wait_with_output().expect("tshark ends");
    feeder.join().expect("no panic").expect("tshark reads");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
