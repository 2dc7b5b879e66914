//! The table of all profiles, in the order of lists and of the reference.

use super::{Alias, Group, Profile, ProfileKind};

macro_rules! nat {
    ($group:ident, $name:literal) => {
        Profile {
            name: $name,
            group: Group::$group,
            kind: ProfileKind::Nat,
            text: include_str!(concat!("nats/", $name, ".yaml")),
            alias: None,
        }
    };
    ($group:ident, $name:literal = $of:literal, $why:literal) => {
        Profile { name: $name, alias: Some(Alias { of: $of, why: $why }), ..nat!($group, $of) }
    };
}

macro_rules! firewall {
    ($group:ident, $name:literal) => {
        Profile {
            name: $name,
            group: Group::$group,
            kind: ProfileKind::Firewall,
            text: include_str!(concat!("firewalls/", $name, ".yaml")),
            alias: None,
        }
    };
}

/// All of them. What differs from another in nothing but its name is an alias with its own reason and source.
pub(super) static PROFILES: &[Profile] = &[
    nat!(Systems, "linux-masquerade"),
    nat!(Systems, "linux-masquerade-random"),
    nat!(
        Systems,
        "linux-fully-random" = "linux-masquerade-random",
        "The flag is called `--random-fully` in iptables and `fully-random` in nftables."
    ),
    nat!(Systems, "linux-fullcone"),
    nat!(
        Systems,
        "openwrt" = "linux-masquerade",
        "Its firewall masquerades the zone `wan`. Measured (openwrt/openwrt issue 7021): independent mapping, filter by port,\nports kept, no hairpinning."
    ),
    nat!(
        Systems,
        "openwrt-fullcone" = "linux-fullcone",
        "A build with the add-on and `fullcone '1'` (fullcone-nat-nftables/nft-fullcone issue 4); stock OpenWrt has none."
    ),
    nat!(Systems, "mikrotik"),
    nat!(Systems, "mikrotik-endpoint-independent"),
    nat!(Systems, "pf"),
    nat!(
        Systems,
        "pfsense" = "pf",
        "tailscale/tailscale issue 864: without a static port, the mapping varies by destination."
    ),
    nat!(
        Systems,
        "opnsense" = "pf",
        "opnsense/core issue 8384: filtering by address and port, and no option for anything else."
    ),
    nat!(Systems, "pf-static-port"),
    nat!(Systems, "freebsd-endpoint-independent"),
    nat!(
        Systems,
        "pfsense-endpoint-independent" = "freebsd-endpoint-independent",
        "pfSense Plus 25.11 and 2.9.0 have the option for outbound NAT of UDP (tailscale/tailscale issue 18035)."
    ),
    nat!(Systems, "windows-nat"),
    nat!(Systems, "windows-ics"),
    nat!(
        Machines,
        "docker-bridge" = "linux-masquerade",
        "Docker's manual, Port publishing, section Masquerade or SNAT: packets of bridge networks are masqueraded by default."
    ),
    nat!(
        Machines,
        "podman" = "linux-masquerade",
        "src/firewall/nft.rs of containers/netavark (9a10e462): a masquerade statement without flags. Rootless networks\nby slirp4netns are `slirp4netns`."
    ),
    nat!(
        Machines,
        "kubernetes-node" = "linux-masquerade-random",
        "kubernetes/kubernetes pull request 78547: kube-proxy masquerades with `--random-fully` where iptables has it."
    ),
    nat!(
        Machines,
        "aws-vpc-cni" = "linux-masquerade-random",
        "README of aws/amazon-vpc-cni-k8s: AWS_VPC_K8S_CNI_RANDOMIZESNAT is `prng` by default, which is `--random-fully`."
    ),
    nat!(Machines, "libslirp"),
    nat!(Machines, "qemu-user" = "libslirp", "QEMU's `-netdev user`, its default network, is libslirp."),
    nat!(
        Machines,
        "slirp4netns" = "libslirp",
        "rootless-containers/slirp4netns is built on libslirp, for rootless containers."
    ),
    nat!(Companies, "cisco-ios-pat"),
    nat!(Companies, "cisco-asa"),
    nat!(Companies, "fortigate"),
    nat!(Companies, "fortigate-no-port-preserve"),
    nat!(Companies, "palo-alto"),
    nat!(Companies, "palo-alto-persistent-dipp"),
    nat!(Companies, "juniper-srx"),
    nat!(Companies, "juniper-srx-any-remote-host"),
    nat!(Companies, "juniper-srx-target-host"),
    nat!(Companies, "juniper-srx-target-host-port"),
    nat!(Clouds, "aws-nat-gateway"),
    nat!(Clouds, "azure-nat-gateway"),
    nat!(Clouds, "gcp-cloud-nat"),
    nat!(Clouds, "gcp-cloud-nat-static-eim"),
    nat!(Carriers, "cgn-rfc6888"),
    nat!(Carriers, "cgn-fixed-line-median"),
    nat!(Carriers, "cgn-port-blocks"),
    nat!(Carriers, "junos-services-nat"),
    nat!(Carriers, "lte-cone"),
    nat!(Carriers, "lte-symmetric"),
    nat!(Carriers, "lte-464xlat"),
    nat!(Carriers, "starlink"),
    nat!(Guests, "hotel-wifi"),
    firewall!(Systems, "linux-stateful"),
    firewall!(Systems, "home-ipv6-rfc6092"),
    firewall!(Companies, "corporate"),
    firewall!(Companies, "corporate-proxy"),
    firewall!(Clouds, "aws-security-group"),
    firewall!(Clouds, "gcp-firewall"),
    firewall!(Guests, "campus-wifi"),
    firewall!(Guests, "guest-wifi"),
    firewall!(Guests, "captive"),
];
