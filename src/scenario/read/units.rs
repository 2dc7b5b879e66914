//! Values that carry their unit, exact and without floats.

use crate::base::{Bandwidth, PortRange, Probability, SimDuration};
use crate::plan::{Listen, Service, ServiceProtocol, Transport};
use crate::scenario::diagnostic::Code;

use super::{Fault, Leaf};

/// Decimal digits with at most one point, as a whole number of `1 / 10^decimals`.
/// `None` if it is not such a number, has more decimals, or does not fit.
fn decimal(text: &str, decimals: u32) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = rest.trim_end_matches('0');
    let complete = !whole.is_empty() && digits(whole) && digits(rest) && !text.ends_with('.');
    let places = u32::try_from(rest.len()).ok().filter(|places| complete && *places <= decimals)?;
    let scale = 10_u64.checked_pow(decimals)?;
    let fraction = if rest.is_empty() {
        0
    } else {
        rest.parse::<u64>().ok()?.checked_mul(10_u64.pow(decimals - places))?
    };
    whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(fraction)
}

/// The number at the start of `text` and what follows it. Spaces between them are allowed.
fn number_and_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// True for what a reader would call a number: also `-5`, `0x10`, `1e9`, `.nan`.
fn is_number(text: &str) -> bool {
    let plain = text.trim_start_matches(['-', '+']);
    plain.parse::<f64>().is_ok()
        || plain.starts_with("0x")
        || matches!(plain, ".nan" | ".NaN" | ".inf" | ".Inf")
}

/// What is wrong with a number that should be an ordinary decimal one of this kind; `None` if it is one.
pub fn strange_number(text: &str, kind: &str) -> Option<Fault> {
    let lower = text.to_ascii_lowercase();
    let problem = match () {
        () if text.starts_with('-') => "is negative",
        () if text.starts_with('+') => "has a sign",
        () if matches!(lower.as_str(), "nan" | ".nan" | "inf" | ".inf") => "is not a finite number",
        () if ["0x", "0o", "0b"].iter().any(|prefix| lower.starts_with(prefix)) => "is not decimal",
        () => return None,
    };
    Some(Fault::new(Code::BadValue, problem, format!("write {kind}")))
}

impl Leaf for SimDuration {
    const KIND: &'static str = "a duration such as `20ms`, `1.5s` or `2h4m`";

    fn parse(text: &str) -> Result<Self, Fault> {
        const UNITS: [(&str, u32, u64); 6] =
            [("ns", 0, 1), ("us", 3, 1), ("ms", 6, 1), ("s", 9, 1), ("m", 9, 60), ("h", 9, 3_600)];
        let malformed = || Fault::new(Code::BadValue, "is not a duration", format!("write {}", Self::KIND));
        if let Some(fault) = strange_number(text, Self::KIND) {
            return Err(fault);
        }
        if is_number(text) {
            let help = format!("write `{text}ms` for milliseconds or `{text}s` for seconds");
            return Err(Fault::new(Code::MissingUnit, "has no unit", help));
        }
        let (mut total, mut rest, mut largest) = (0_u64, text, u64::MAX);
        while !rest.is_empty() {
            let (number, tail) = number_and_unit(rest);
            let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let unit = &tail[..unit_end];
            let (name, decimals, factor) =
                *UNITS.iter().find(|(name, ..)| *name == unit).ok_or_else(|| {
                    usual_unit(unit).map_or_else(malformed, |usual| {
                        Fault::new(
                            Code::BadValue,
                            "has a unit that is spelled differently here",
                            format!("write `{number}{usual}`"),
                        )
                    })
                })?;
            let too_long =
                || Fault::new(Code::OutOfRange, "is longer than a year", "write a shorter duration".into());
            if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || number.is_empty() {
                return Err(malformed());
            }
            let Some(value) = decimal(number, decimals) else {
                let whole = number.split('.').next().unwrap_or_default();
                return Err(if whole.len() > 9 {
                    too_long()
                } else {
                    Fault::new(
                        Code::BadValue,
                        "is finer than a nanosecond or has a stray point",
                        format!("write {}", Self::KIND),
                    )
                });
            };
            let size = 10_u64.pow(decimals) * factor;
            if size >= largest {
                return Err(Fault::new(
                    Code::BadValue,
                    "does not go from large units to small ones",
                    format!("write `{name}` once, as in `2h4m` or `1.5s`"),
                ));
            }
            largest = size;
            total =
                value.checked_mul(factor).and_then(|value| total.checked_add(value)).ok_or_else(too_long)?;
            if total > Self::MAX_CONFIGURABLE.as_nanos() {
                return Err(too_long());
            }
            rest = tail[unit_end..].trim_start();
        }
        if text.is_empty() { Err(malformed()) } else { Ok(Self::from_nanos(total)) }
    }
}

/// The unit people mean by another spelling.
fn usual_unit(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" | "s" => Some("s"),
        "min" | "mins" | "minute" | "minutes" | "m" => Some("m"),
        "hr" | "hrs" | "hour" | "hours" | "h" => Some("h"),
        "msec" | "msecs" | "millis" | "milliseconds" | "ms" => Some("ms"),
        "usec" | "usecs" | "micros" | "microseconds" | "us" => Some("us"),
        _ => None,
    }
}

impl Leaf for Probability {
    const KIND: &'static str = "a percentage such as `1%` or `0.5%`";

    fn parse(text: &str) -> Result<Self, Fault> {
        if let Some(fault) = strange_number(text, Self::KIND) {
            return Err(fault);
        }
        let Some(number) = text.strip_suffix('%').map(str::trim_end) else {
            if is_number(text) {
                let chance = decimal(text, 9)
                    .and_then(|parts| u32::try_from(parts).ok())
                    .and_then(Self::from_parts_per_billion);
                let help = match chance.filter(|_| text.contains('.')) {
                    Some(chance) => format!("write `{chance}` for a chance of {text}"),
                    None => format!("write `{text}%`"),
                };
                return Err(Fault::new(Code::MissingUnit, "has no percent sign", help));
            }
            return Err(Fault::new(Code::BadValue, "is not a percentage", format!("write {}", Self::KIND)));
        };
        let malformed = || {
            Fault::new(
                Code::BadValue,
                "is not a percentage with at most seven decimals",
                format!("write {}", Self::KIND),
            )
        };
        let too_much = || {
            Fault::new(Code::OutOfRange, "is more than 100%", "write a percentage from `0%` to `100%`".into())
        };
        let digits = number.split('.').next().unwrap_or_default();
        if digits.len() > 3
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.trim_start_matches('0').len() > 3
        {
            return Err(too_much());
        }
        let parts = decimal(number, 7).ok_or_else(malformed)?;
        u32::try_from(parts).ok().and_then(Self::from_parts_per_billion).ok_or_else(too_much)
    }
}

impl Leaf for Bandwidth {
    const KIND: &'static str = "a bandwidth such as `40kbps` or `1.2Mbps`";

    fn parse(text: &str) -> Result<Self, Fault> {
        const UNITS: [(&str, u32); 4] = [("bps", 0), ("kbps", 3), ("Mbps", 6), ("Gbps", 9)];
        let malformed = || Fault::new(Code::BadValue, "is not a bandwidth", format!("write {}", Self::KIND));
        if let Some(fault) = strange_number(text, Self::KIND) {
            return Err(fault);
        }
        if is_number(text) {
            let help = format!("write `{text}kbps` or `{text}Mbps`");
            return Err(Fault::new(Code::MissingUnit, "has no unit", help));
        }
        let (number, unit) = number_and_unit(text);
        let Some((_, decimals)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let near = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
            return Err(near.map_or_else(malformed, |(name, _)| {
                Fault::new(Code::BadValue, "has a unit in the wrong case", format!("write `{number}{name}`"))
            }));
        };
        let bits = decimal(number, *decimals).ok_or_else(malformed)?;
        Self::from_bits_per_second(bits).ok_or_else(|| {
            Fault::new(
                Code::OutOfRange,
                "lets nothing pass",
                "write `up: false` for a link that carries nothing".into(),
            )
        })
    }
}

/// A port written in decimal, without sign or leading zero.
pub fn port(text: &str) -> Result<u16, Fault> {
    let help = || "write a port from 1 to 65535 in decimal".to_owned();
    let decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !decimal || (text.starts_with('0') && text.len() > 1) {
        return Err(Fault::new(Code::BadValue, "has a port that is not a plain decimal number", help()));
    }
    match text.parse::<u16>() {
        Ok(0) => Err(Fault::new(Code::OutOfRange, "has port 0, which no packet can be sent to", help())),
        Ok(port) => Ok(port),
        Err(_) => Err(Fault::new(Code::OutOfRange, "has a port above 65535", help())),
    }
}

impl Leaf for PortRange {
    const KIND: &'static str = "a port range such as `1024-65535`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let Some((first, last)) = text.split_once('-') else {
            let help = if port(text).is_ok() {
                format!("write `{text}-{text}` for one port")
            } else {
                format!("write {}", Self::KIND)
            };
            return Err(Fault::new(Code::BadValue, "is not a port range", help));
        };
        let (first, last) = (port(first.trim())?, port(last.trim())?);
        Self::new(first, last).ok_or_else(|| {
            Fault::new(
                Code::OutOfRange,
                "ends before it begins, so it holds no port",
                format!("write `{last}-{first}`"),
            )
        })
    }
}

impl Leaf for Listen {
    const KIND: &'static str = "a port and protocol such as `3478/udp`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let Some((number, protocol)) = text.split_once('/') else {
            let help = if port(text).is_ok() {
                format!("write `{text}/udp`")
            } else {
                format!("write {}", Self::KIND)
            };
            return Err(Fault::new(Code::MissingUnit, "has no protocol", help).label("UDP or TCP?"));
        };
        let port = port(number)?;
        let Some(transport) = Transport::from_word(protocol) else {
            let help = format!("write `{port}/udp`");
            return Err(Fault::new(Code::UnknownWord, "has an unknown protocol", help));
        };
        Ok(Self { port, transport })
    }
}

impl Leaf for Service {
    const KIND: &'static str = "a port and protocol such as `443/tcp`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let Listen { port, transport } = Listen::parse(text)?;
        match transport {
            Transport::Udp => Ok(Self { port, protocol: ServiceProtocol::Udp }),
            Transport::Tcp => Ok(Self { port, protocol: ServiceProtocol::Tcp }),
            Transport::Tls => {
                let help = format!("write `{port}/tcp`: TLS runs over TCP, and a firewall sees only that");
                Err(Fault::new(Code::UnknownWord, "names no protocol a firewall can match", help))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> Option<u64> {
        SimDuration::parse(text).ok().map(SimDuration::as_nanos)
    }

    #[test]
    fn durations_are_exact_and_may_combine_units() {
        assert_eq!(nanos("20ms"), Some(20_000_000));
        assert_eq!(nanos("1.5s"), Some(1_500_000_000));
        assert_eq!(nanos("0.1s"), Some(100_000_000));
        assert_eq!(nanos("2h4m"), Some(7_440_000_000_000));
        assert_eq!(nanos("250ns"), Some(250));
        assert_eq!(nanos("0ms"), Some(0));
    }

    #[test]
    fn durations_that_could_mean_anything_are_refused() {
        for text in [
            "20",
            "",
            "ms",
            "-1s",
            "1e9s",
            "1.s",
            ".5s",
            "1.0000000001s",
            "4m2h",
            "1s1s",
            "0x10ms",
            "400d",
            "9000h",
            "20 parsec",
            "99999999999999999999s",
            ".inf",
            "1..5s",
        ] {
            assert!(SimDuration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages_are_exact_to_a_billionth() {
        let parts = |text| Probability::parse(text).ok().map(Probability::parts_per_billion);
        assert_eq!(parts("0.5%"), Some(5_000_000));
        assert_eq!(parts("100%"), Some(1_000_000_000));
        assert_eq!(parts("0.0000001%"), Some(1));
        for text in ["100.0000001%", "0.01", "-1%", ".nan", "5 %%", "%", "1000%", "99999999999999999999%"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn bandwidths_and_ports_take_decimal_numbers_only() {
        assert_eq!(Bandwidth::parse("1.2Mbps").ok().map(Bandwidth::bits_per_second), Some(1_200_000));
        for text in ["1.2", "0Mbps", "1mbps", "1.5bps", "0x1kbps", "99999999999999Gbps"] {
            assert!(Bandwidth::parse(text).is_err(), "{text}");
        }
        for text in ["0", "010", "65536", "-1", "0x10", "", "1e3", "+80", "٣"] {
            assert!(port(text).is_err(), "{text}");
        }
        assert!(PortRange::parse("60000-50000").is_err());
        assert_eq!(PortRange::parse("1024-65535").ok(), Some(PortRange::UNPRIVILEGED));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_unit_panic(text in "[-+0-9.a-zA-Z%/ é]{0,24}") {
            let _ = SimDuration::parse(&text);
            let _ = Probability::parse(&text);
            let _ = Bandwidth::parse(&text);
            let _ = PortRange::parse(&text);
            let _ = Service::parse(&text);
        }

        #[test]
        fn a_printed_duration_reads_back(nanos in 0..SimDuration::MAX_CONFIGURABLE.as_nanos()) {
            let duration = SimDuration::from_nanos(nanos);
            prop_assert_eq!(SimDuration::parse(&duration.to_string()).ok(), Some(duration));
        }
    }
}
