package import RingSystem

/// How the TCP transport reaches the network.
package struct TCPOptions: Sendable {
    /// Interfaces by name (`eth0`), CIDR (`10.0.0.0/8`) or address, one listener each; channels take turns over
    /// them. Empty: the interface that leads to ``routeHint``.
    package var interfaces: [String] = []

    /// The ports to listen on; nil: any free one.
    package var portRange: ClosedRange<UInt16>?

    /// An address that every rank must reach anyway, to choose the interface by.
    package var routeHint: SocketAddress?

    /// The name of the congestion control to use; nil: `cubic` between ranks of one host, and where BBR is the system's
    /// and a round trip takes less than 5 ms; else the system's.
    ///
    /// BBR paces, which costs half of loopback's bandwidth, and some of that of a link between neighbours.
    package var congestionControl: String?

    /// The size of the kernel's socket buffers in bytes, each way; nil: the system sizes them.
    package var socketBufferSize: Int32?

    /// How many bytes the kernel takes beyond what it has sent on a connection; nil: as many as its buffer holds.
    ///
    /// Where channels share the work, one with a slow link should not take more of it than it can pass on.
    package var unsentLimit: Int32?

    /// The largest piece that is received, reduced and passed on at a time; it should stay in the L2 cache.
    package var pieceSize = 256 << 10

    /// How long a connection may take to say who it is before it is dropped.
    package var handshakeTimeout: Duration = .seconds(10)

    /// Options with their defaults.
    package init() {}
}
