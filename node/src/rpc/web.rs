//! Requests to servers on the web: over TLS, with a deadline of the caller's, into private networks only where that is allowed, and
//! without following where an answer redirects.

use std::convert::Infallible;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::response::Parts;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::failpoint::resolved;

/// How a request is made.
pub struct Web {
    tls: TlsConnector,
}

/// Where a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Also into private networks: the owner says so.
    Anywhere,
    /// To addresses of the Internet, or to this machine where the URL names it: an app of it says so.
    Public,
    /// To addresses of the Internet alone: whoever says so may be anywhere.
    Internet,
}

/// A request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// It can't be reached, or says nothing that can be read.
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    /// Its name leads where this request may not go.
    #[error("its name leads into a private network")]
    Private,
}

impl Web {
    /// Trusts whom the system trusts.
    pub fn new() -> Result<Self, rustls::Error> {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Sends a request; returns the head of the answer and its body, of which none is read if `most` is none, and which may have no
    /// more bytes than that.
    pub async fn exchange(
        &self,
        target: Target,
        reach: Reach,
        request: Request<String>,
        most: Option<usize>,
    ) -> Result<(Parts, Vec<u8>), WebError> {
        // Checked where it is connected to: a name may lead elsewhere than when it was set.
        let allowed: Vec<SocketAddr> = match resolved(&target.host) {
            Some(address) => vec![address],
            None => {
                let found = lookup_host((target.host.as_str(), target.port)).await;
                let found = found.map_err(unreachable)?;
                found.filter(|address| target.allows(address.ip(), reach)).collect()
            }
        };
        if allowed.is_empty() {
            return Err(WebError::Private);
        }
        let stream = TcpStream::connect(&*allowed).await.map_err(unreachable)?;
        if !target.tls {
            return exchange(stream, request, most).await;
        }
        let name = ServerName::try_from(target.host).map_err(unreachable)?;
        let stream = self.tls.connect(name, stream).await.map_err(unreachable)?;
        exchange(stream, request, most).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<String>,
    most: Option<usize>,
) -> Result<(Parts, Vec<u8>), WebError> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    let answered = async {
        let (head, body) = sender.send_request(request).await.map_err(unreachable)?.into_parts();
        let Some(most) = most else {
            return Ok((head, Vec::new()));
        };
        let body = Limited::new(body, most).collect().await.map_err(unreachable)?;
        Ok((head, body.to_bytes().into()))
    };
    // Its end alone decides nothing: the answer may have come with it, or else says that there is none.
    let carried = async {
        connection.await.ok();
        pending::<Infallible>().await
    };
    tokio::select! {
        answer = answered => answer,
        never = carried => match never {},
    }
}

/// Why something can't be reached.
pub fn unreachable(error: impl ToString) -> WebError {
    WebError::Unreachable(error.to_string())
}

/// Where a URL leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    tls: bool,
    host: String,
    port: u16,
    /// As the `Host` header has it.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// Reads a URL. Only `https`, or `http` to this machine, where nobody listens in between.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "must be a URL")?;
        let authority = uri.authority().ok_or("must be a URL with a host")?;
        if authority.as_str().contains('@') {
            return Err("must hold no user and password");
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(&host) => false,
            _ => return Err("must be https, or http to this machine"),
        };
        Ok(Self {
            tls,
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            host,
        })
    }

    /// Whether it names an address, and one that may not be reached.
    pub fn is_beyond(&self, reach: Reach) -> bool {
        self.host.parse().is_ok_and(|ip| !self.allows(ip, reach))
    }

    /// Whether a request may go to this address: a name decides only to whom it leads, not whether they may be reached.
    fn allows(&self, ip: IpAddr, reach: Reach) -> bool {
        if is_loopback(&self.host) && reach != Reach::Internet {
            return ip.is_loopback();
        }
        reach == Reach::Anywhere || is_public(ip)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether an address is one of the Internet, by IANA's registries of special-purpose addresses.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match (ip.to_ipv4_mapped(), ip.segments()) {
            (Some(ip), _) => is_public_v4(ip),
            // By NAT64 or 6to4 to an address of IPv4.
            (None, [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) => {
                is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
            }
            (None, segments) => is_public_v6(segments),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        // This network, shared address space, protocol assignments, benchmarks, reserved.
        [0, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..] => true,
        _ => false,
    };
    !(special
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast())
}

fn is_public_v6(segments: [u16; 8]) -> bool {
    match segments {
        // Teredo and other protocol assignments; documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast is all else that there is.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_into_private_networks_is_for_the_owner_alone() {
        let target = |url: &str| Target::parse(url).unwrap();
        let name = target("https://example.org/");
        for (ip, public) in [
            ("93.184.215.14", true),
            ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", true),
            ("64:ff9b::5db8:d70e", true),
            ("127.0.0.1", false),
            ("10.0.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.100.100.200", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.1", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b:1::a00:1", false),
            ("2002:a00:1::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            assert_eq!(name.allows(ip, Reach::Public), public, "{ip}");
            assert_eq!(name.allows(ip, Reach::Internet), public, "{ip}");
            assert!(name.allows(ip, Reach::Anywhere), "{ip} for the owner");
        }
        // What names this machine leads nowhere else.
        for url in ["http://localhost/", "https://localhost/", "https://127.0.0.1/"] {
            for (ip, allowed) in [
                ("127.0.0.1", true),
                ("::1", true),
                ("93.184.215.14", false),
                ("10.0.0.1", false),
            ] {
                assert!(
                    !allowed || !target(url).allows(ip.parse().unwrap(), Reach::Internet),
                    "{url} {ip}"
                );
                for reach in [Reach::Public, Reach::Anywhere] {
                    assert_eq!(target(url).allows(ip.parse().unwrap(), reach), allowed, "{url} {ip}");
                }
            }
        }
    }

    #[test]
    fn only_https_and_this_machine_are_posted_to() {
        for (url, port) in [
            ("https://example.org/hook?a=b", 443),
            ("https://example.org:8443", 8443),
            ("http://127.0.0.1:80/x", 80),
            ("http://localhost:9", 9),
            ("http://[::1]:9/", 9),
        ] {
            assert_eq!(Target::parse(url).map(|target| target.port), Ok(port), "{url}");
        }
        for url in [
            "http://example.org",
            "http://10.0.0.1/",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "https://user:word@example.org/",
            "http://evil@127.0.0.1/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "https:///x",
            "/hook",
            "example.org",
            "",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
