//! Redis servers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{Server, free_port, until};

pub(crate) struct Redis(pub(crate) Server);

impl Redis {
    /// A single server that keeps nothing on disk.
    pub(crate) fn start() -> Redis {
        Redis::with(&[])
    }

    pub(crate) fn with(more: &[&str]) -> Redis {
        Redis::of("redis-server", more)
    }

    /// The same by another program, which takes the same arguments.
    pub(crate) fn of(program: &str, more: &[&str]) -> Redis {
        let server = Server::start(program, free_port(), |port, _| {
            let mut arguments = base(port);
            arguments.extend(more.iter().map(ToString::to_string));
            arguments
        });
        Redis(server)
    }

    /// A server that speaks TLS alone, and what it is certified by; it asks for certificates of
    /// its clients if they are to have some.
    pub(crate) fn with_tls(clients: bool) -> (Redis, Certificates) {
        let certificates = Certificates::new();
        let server = Server::start("redis-server", free_port(), |port, directory| {
            let file = |name: &str, text: &str| {
                let path = directory.join(name);
                std::fs::write(&path, text).unwrap();
                path.display().to_string()
            };
            let mut arguments = base(0);
            arguments.extend(["--tls-port".into(), port.to_string()]);
            arguments.extend([
                "--tls-cert-file".into(),
                file("own.pem", &certificates.server.0),
            ]);
            arguments.extend([
                "--tls-key-file".into(),
                file("own.key", &certificates.server.1),
            ]);
            arguments.extend([
                "--tls-ca-cert-file".into(),
                file("ca.pem", &certificates.root),
            ]);
            let asked = if clients { "yes" } else { "no" };
            arguments.extend(["--tls-auth-clients".into(), asked.into()]);
            arguments
        });
        (Redis(server), certificates)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.0.port)
    }

    /// Sends a command, and returns the raw reply.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        command(self.0.port, words)
    }
}

/// An authority, and what it has certified; in PEM.
pub(crate) struct Certificates {
    pub(crate) root: String,
    /// The certificate and its key.
    pub(crate) server: (String, String),
    pub(crate) client: (String, String),
}

impl Certificates {
    fn new() -> Certificates {
        use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
        let params = |name: &str, names: Vec<String>| {
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let key = KeyPair::generate().unwrap();
        let mut params_of_root = params("authority", Vec::new());
        params_of_root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params_of_root.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params_of_root, key);
        let certify = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = params(name, vec![name.to_owned()]);
            let certificate = params.signed_by(&key, &issuer).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        Certificates {
            server: certify("localhost"),
            client: certify("client"),
            root,
        }
    }
}

fn base(port: u16) -> Vec<String> {
    let port = port.to_string();
    let words = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--protected-mode",
        "no",
        "--daemonize",
        "no",
    ];
    words.iter().map(ToString::to_string).collect()
}

/// Sends a command to the server at a port, and returns the raw reply.
pub(crate) fn command(port: u16, words: &[&str]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(2000)))
        .unwrap();
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    // Its answer says that the first one is complete.
    request += "*2\r\n$4\r\nECHO\r\n$7\r\nthe end\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => reply.extend_from_slice(&buffer[..n]),
        }
        if reply.ends_with(b"$7\r\nthe end\r\n") {
            break;
        }
    }
    let text = String::from_utf8_lossy(&reply).into_owned();
    text.trim_end_matches("$7\r\nthe end\r\n").to_owned()
}

/// A cluster of three masters; those that come after them are their replicas.
pub(crate) struct Cluster(pub(crate) Vec<Redis>);

impl Cluster {
    pub(crate) fn start() -> Cluster {
        Cluster::of(3)
    }

    pub(crate) fn with_replicas() -> Cluster {
        let cluster = Cluster::of(6);
        for n in 0..3 {
            let replicate = ["CLUSTER", "REPLICATE", &cluster.id(n)];
            assert_eq!(cluster.0[n + 3].command(&replicate), "+OK\r\n");
        }
        let linked = |n: usize| cluster.0[n].command(&["ROLE"]).contains("connected");
        assert!(until(|| (3..6).all(linked)), "the replicas do not connect");
        let seen = |node: &Redis| node.command(&["CLUSTER", "NODES"]).matches("slave").count();
        assert!(until(|| cluster.0.iter().all(|node| seen(node) == 3)));
        cluster
    }

    /// What a node is called.
    pub(crate) fn id(&self, node: usize) -> String {
        let id = self.0[node].command(&["CLUSTER", "MYID"]);
        id.lines().nth(1).unwrap().to_owned()
    }

    /// Moves a slot with all that is in it, as `redis-cli --cluster reshard` does; `meanwhile` is
    /// called when half of that is done.
    pub(crate) fn move_slot(&self, slot: &str, from: usize, to: usize, meanwhile: impl FnOnce()) {
        let say = |node: usize, words: &[&str]| {
            let reply = self.0[node].command(words);
            assert!(!reply.starts_with('-'), "{words:?}: {reply}");
            reply
        };
        let (source, target) = (self.id(from), self.id(to));
        say(to, &["CLUSTER", "SETSLOT", slot, "IMPORTING", &source]);
        say(from, &["CLUSTER", "SETSLOT", slot, "MIGRATING", &target]);
        let keys = say(from, &["CLUSTER", "GETKEYSINSLOT", slot, "1000"]);
        let keys: Vec<&str> = keys.lines().skip(2).step_by(2).collect();
        let port = self.0[to].port().to_string();
        let mut meanwhile = Some(meanwhile);
        for (n, key) in keys.iter().enumerate() {
            if n >= keys.len() / 2
                && let Some(meanwhile) = meanwhile.take()
            {
                meanwhile();
            }
            say(from, &["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
        }
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        for node in [to, from] {
            say(node, &["CLUSTER", "SETSLOT", slot, "NODE", &target]);
        }
    }

    /// A single master, which says of itself that it is at the port of a proxy.
    pub(crate) fn behind_a_proxy() -> (Cluster, super::proxy::Proxy) {
        let cluster = Cluster::of(1);
        let node = &cluster.0[0];
        let proxy = super::proxy::Proxy::to(node.port());
        let port = proxy.port.to_string();
        let said = node.command(&["CONFIG", "SET", "cluster-announce-port", &port]);
        assert_eq!(said, "+OK\r\n");
        let announced = || {
            node.command(&["CLUSTER", "SLOTS"])
                .contains(&format!(":{port}\r\n"))
        };
        assert!(until(announced));
        (cluster, proxy)
    }

    fn of(count: usize) -> Cluster {
        let masters = count.min(3);
        let node = || {
            Redis::with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                "nodes.conf",
                "--cluster-node-timeout",
                "2000",
            ])
        };
        let nodes: Vec<Redis> = (0..count).map(|_| node()).collect();
        let known = format!("cluster_known_nodes:{count}");
        for node in &nodes[1..] {
            let port = nodes[0].port().to_string();
            node.command(&["CLUSTER", "MEET", "127.0.0.1", &port]);
        }
        for (n, node) in nodes.iter().take(masters).enumerate() {
            let share = 16384usize.div_ceil(masters);
            let (first, last) = (n * share, ((n + 1) * share).min(16384) - 1);
            let range = [first.to_string(), last.to_string()];
            let reply = node.command(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]);
            assert_eq!(reply, "+OK\r\n");
        }
        let ready = |node: &Redis| {
            let info = node.command(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains(&known)
        };
        assert!(
            until(|| nodes.iter().all(ready)),
            "the cluster does not form"
        );
        Cluster(nodes)
    }

    pub(crate) fn url(&self) -> String {
        let hosts = self
            .0
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        format!("redis-cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }
}

/// A master, a replica of it, and three sentinels that watch them.
pub(crate) struct Sentinels {
    pub(crate) master: Redis,
    pub(crate) replica: Redis,
    sentinels: Vec<Server>,
}

impl Sentinels {
    pub(crate) fn start() -> Sentinels {
        let master = Redis::start();
        let port = master.port().to_string();
        let replica = Redis::with(&["--replicaof", &format!("127.0.0.1 {port}")]);
        assert!(
            until(|| replica.command(&["ROLE"]).contains("connected")),
            "the replica does not connect"
        );
        let sentinel = || {
            Server::start("redis-server", free_port(), |own, directory| {
                let file = directory.join("sentinel.conf");
                let text = format!(
                    "port {own}\nbind 127.0.0.1\nprotected-mode no\n\
                     sentinel monitor main 127.0.0.1 {port} 2\n\
                     sentinel down-after-milliseconds main 500\n\
                     sentinel failover-timeout main 3000\n"
                );
                std::fs::write(&file, text).unwrap();
                vec![file.display().to_string(), "--sentinel".into()]
            })
        };
        let sentinels: Vec<Server> = (0..3).map(|_| sentinel()).collect();
        let knows = |sentinel: &Server| {
            let info = super::redis::command(sentinel.port, &["SENTINEL", "MASTER", "main"]);
            info.contains("num-slaves\r\n$1\r\n1")
                && info.contains("num-other-sentinels\r\n$1\r\n2")
        };
        assert!(
            until(|| sentinels.iter().all(knows)),
            "the sentinels do not find each other"
        );
        Sentinels {
            master,
            replica,
            sentinels,
        }
    }

    pub(crate) fn url(&self) -> String {
        let hosts = self
            .sentinels
            .iter()
            .map(|s| format!("127.0.0.1:{}", s.port));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("redis-sentinel://{hosts}/main/0")
    }
}
